// The readings every case sends, and the one right answer to each.
//
//   reading n   topic s/<n mod 100>   {"device_id":"press-627","temperature":T,"humidity":66.9,"timestamp":BASE+n}
//               T is 95.08 for every sixth reading (hot) and 60.08 for the others
//   its alert   topic alerts/<topic of the reading>, once, byte for byte as below; cold readings have none
import { generate } from "mqtt-packet";

export const BASE = 1_700_000_000_000;
export const HOT_EVERY = 6;
export const TOPICS = 100;

/** Numbers from here on are probes: sent before the count begins, answered or not. */
export const PROBE = 900_000_000;

export const SUBSCRIPTION = "s/#";
export const ALERTS = "alerts/#";

/** Digits of BASE + n that change with n (n < 1e9). */
export const DIGITS = 9;

const ALERT_HEAD = Buffer.from(
	'{"device_id":"press-627","alert_type":"high_temperature","value":95.08,"timestamp":1700',
);
const ALERT_TOPIC = Array.from({ length: TOPICS }, (_, i) =>
	Buffer.from(`alerts/s/${i}`),
);

/**
 * @param {number} n
 * @param {number} [every]
 */
export const isHot = (n, every = HOT_EVERY) => n % every === 0;

/**
 * @param {number} n how many of the readings 0..n-1 are hot
 * @param {number} [every]
 */
export const hotBelow = (n, every = HOT_EVERY) => Math.ceil(n / every);

/**
 * @typedef {object} Mix readings other than the usual ones
 * @property {number} [hotEvery] one in so many causes an alert
 * @property {number} [size] bytes of a payload, where the usual one is smaller: a note comes first
 */

/** @param {number} n */
export const topicOf = (n) => `s/${n % TOPICS}`;

/**
 * @param {number} n
 * @param {Mix} [mix]
 */
export function payloadOf(n, { hotEvery, size = 0 } = {}) {
	const temperature = isHot(n, hotEvery) ? "95.08" : "60.08";
	const usual = `"device_id":"press-627","temperature":${temperature},"humidity":66.9,"timestamp":${BASE + n}}`;
	const room = size - usual.length - '{"note":"",'.length;
	return room < 0 ? `{${usual}` : `{"note":"${"x".repeat(room)}",${usual}`;
}

/**
 * @param {number} n a hot one
 * @returns {string} its alert
 */
export function answerOf(n) {
	return payloadOf(n).replace(
		'"temperature":95.08,"humidity":66.9',
		'"alert_type":"high_temperature","value":95.08',
	);
}

/**
 * @param {number} n
 * @param {Mix & { qos: 0 | 1, messageId?: number, version?: 4 | 5 }} options
 * @returns {Buffer} the PUBLISH packet
 */
export function packetOf(n, { qos, messageId = 1, version = 4, ...mix }) {
	return generate(
		{
			cmd: "publish",
			topic: topicOf(n),
			payload: payloadOf(n, mix),
			qos,
			...(qos ? { messageId } : {}),
			dup: false,
			retain: false,
		},
		{ protocolVersion: version },
	);
}

/**
 * Which reading an alert answers.
 *
 * @param {Buffer} bytes
 * @param {number} topicAt
 * @param {number} payloadAt
 * @param {number} end of the payload
 * @param {number} [hotEvery]
 * @returns {number} its number; -1 when topic or payload is not, to the byte, the answer to a hot reading
 */
export function answeredBy(bytes, topicAt, payloadAt, end, hotEvery) {
	const digitsAt = payloadAt + ALERT_HEAD.length;
	if (end !== digitsAt + DIGITS + 1 || bytes[end - 1] !== 0x7d) return -1;
	if (bytes.compare(ALERT_HEAD, 0, ALERT_HEAD.length, payloadAt, digitsAt))
		return -1;
	const n = digits(bytes, digitsAt);
	if (n < 0 || !isHot(n, hotEvery)) return -1;
	return isTopicOf(n, bytes, topicAt) ? n : -1;
}

/**
 * @param {number} n
 * @param {Buffer} bytes
 * @param {number} at where the two length bytes of the topic are
 */
function isTopicOf(n, bytes, at) {
	const topic = /** @type {Buffer} */ (ALERT_TOPIC[n % TOPICS]);
	if (bytes.readUInt16BE(at) !== topic.length) return false;
	const from = at + 2;
	return bytes.compare(topic, 0, topic.length, from, from + topic.length) === 0;
}

/**
 * @param {Buffer} bytes
 * @param {number} at
 * @returns {number} the number that {@link DIGITS} decimal digits spell, -1 when there is something else
 */
function digits(bytes, at) {
	let n = 0;
	for (let i = at; i < at + DIGITS; i++) {
		const digit = /** @type {number} */ (bytes[i]) - 48;
		if (digit < 0 || digit > 9) return -1;
		n = n * 10 + digit;
	}
	return n;
}

/**
 * The other way round: patches the digits of a packet made for another n.
 *
 * @param {Buffer} bytes
 * @param {number} end of the packet
 * @param {number} n
 */
export function renumber(bytes, end, n) {
	let rest = n;
	for (let i = end - 2; i > end - 2 - DIGITS; i--) {
		bytes[i] = 48 + (rest % 10);
		rest = Math.floor(rest / 10);
	}
}
