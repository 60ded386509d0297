#!/bin/sh
# Makes what deploy/compose.yaml keeps secret, in deploy/secrets; what is there already stays.
#
#   deploy/secrets.sh [NAME…]     NAMEs and addresses under which sensors reach this machine, for its certificate
#
# The folder is closed (0700). The files in it are not, because users of several containers read them there.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
cd secrets
: "${MOSQUITTO_PASSWD:=docker run --rm --user $(id -u):$(id -g) -v $PWD:/secrets -w /secrets eclipse-mosquitto:2.0.22 mosquitto_passwd}"

once() { [ -e "$1" ] || { cat >"$1.new" && mv "$1.new" "$1"; }; }
password() { openssl rand -base64 24 | tr -d '\n' | once "$1"; }

for name in mqtt_password mqtt_filter_password mqtt_sensor_password mqtt_reader_password postgres_password; do
	password $name
done

if [ ! -e mqtt_passwords ]; then
	for user in gateway:mqtt_password filter:mqtt_filter_password sensor:mqtt_sensor_password reader:mqtt_reader_password; do
		echo "${user%%:*}:$(cat "${user#*:}")"
	done >mqtt_passwords.new
	# Hashed in place.
	$MOSQUITTO_PASSWD -U mqtt_passwords.new
	mv mqtt_passwords.new mqtt_passwords
fi

# An authority of this machine's own: sensors are given tls_ca. Its key signs one certificate and is thrown away.
if [ ! -e tls_cert ]; then
	names="DNS:caddy,DNS:mosquitto,DNS:localhost,IP:127.0.0.1,DNS:$(uname -n)"
	for name in "$@"; do
		case $name in
		*[!0-9.:a-fA-F]* | *[g-zG-Z]*) names="$names,DNS:$name" ;;
		*) names="$names,IP:$name" ;;
		esac
	done
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$(uname -n) authority" \
		-keyout ca_key -out tls_ca 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$(uname -n)" -keyout tls_key -out request 2>/dev/null
	printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names" >extensions
	openssl x509 -req -in request -CA tls_ca -CAkey ca_key -CAcreateserial -days 3650 -extfile extensions -out tls_cert 2>/dev/null
	rm -f ca_key request extensions tls_ca.srl
fi
chmod 0444 -- *
