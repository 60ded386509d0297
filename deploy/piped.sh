#!/bin/sh
# A filter between two MQTT clients:
#
#   mosquitto_sub ─▶ wazero, /filter.wasm ─▶ mosquitto_pub
#
# FROM, TO            topic filter to read, topic to publish to (one; there are no templates here)
# CLIENT              name of the two clients' sessions at the broker; keep it
# MQTT_HOST, MQTT_PORT, MQTT_USERNAME, MQTT_PASSWORD_FILE
# FILTER              what to run instead of wazero
# DRAIN               seconds that the filter may take to end when it is stopped (3)
#
# The clients acknowledge what they have received, not what is safe: a kill loses what is in the pipes.
set -eu
: "${FROM:?is the topic filter to read}" "${TO:?is the topic to publish to}" "${CLIENT:?is the name of the session}"

# Not on a command line, which every process may read.
XDG_CONFIG_HOME=$(mktemp -d)
export XDG_CONFIG_HOME
{
	echo "-h ${MQTT_HOST:-localhost}"
	echo "-p ${MQTT_PORT:-1883}"
	if [ -n "${MQTT_USERNAME:-}" ]; then
		echo "-u $MQTT_USERNAME"
		echo "-P $(cat "$MQTT_PASSWORD_FILE")"
	fi
} >"$XDG_CONFIG_HOME/mosquitto_sub"
cp "$XDG_CONFIG_HOME/mosquitto_sub" "$XDG_CONFIG_HOME/mosquitto_pub"

readings=$XDG_CONFIG_HOME/readings
outputs=$XDG_CONFIG_HOME/outputs
mkfifo "$readings" "$outputs"
mosquitto_sub -c -i "$CLIENT-in" -q 1 -t "$FROM" >"$readings" &
source=$!
# Word by word, as it was written.
# shellcheck disable=SC2086
${FILTER:-/wazero run -env-inherit /filter.wasm} <"$readings" >"$outputs" &
filter=$!
mosquitto_pub -i "$CLIENT-out" -q 1 -t "$TO" -l <"$outputs" &
sink=$!

# The source ends first; what it has read goes through.
stopped=
trap 'stopped=yes; kill "$source" 2>/dev/null || true' TERM INT

# It ends when the filter does.
wait "$sink" || true
if [ -n "$stopped" ]; then
	# `docker attach` does not end with its input.
	(sleep "${DRAIN:-3}" && kill "$filter" 2>/dev/null) &
	drain=$!
	wait "$sink" || true
	kill "$drain" 2>/dev/null || true
fi
kill "$source" "$filter" 2>/dev/null || true
rm -rf "$XDG_CONFIG_HOME"
[ -n "$stopped" ]
