#!/usr/bin/env node
import { flush, processIo } from "./io.js";
import { doMain } from "./verbs.js";

const code = await doMain(process.argv.slice(2), processIo());
await flush();
process.exit(code);
