//go:build tools

package tools

import _ "github.com/tetratelabs/wazero/cmd/wazero"
