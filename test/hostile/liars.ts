/**
 * Filters with a `pump`, which run inline and speak tracked mode (docs/protocol.md), and lie in it.
 * `\1e` is RS. Memory: 0 iovec, 16 bytes moved, 32 "RS c", digits and LF, 1024 what they say,
 * 65536 what they read.
 */
const P1 = `"wasi_snapshot_preview1"`;

interface Liar {
	/** What it says when it starts. */
	hello?: string;
	/** What it says each time it is pumped, before the consumed record. */
	says?: string;
	/** Code run in each pump instead of saying that. */
	does?: string;
	/** Code that makes the number in the consumed record from $n, the number of lines read. */
	consumed?: string;
	/** Whether it says the consumed record at all. */
	silent?: boolean;
}

export function liars(): { [name: string]: string } {
	const texts = Object.entries(LIARS).map(([name, liar]) => [
		`liar-${name}`,
		liarText(liar),
	]);
	return Object.fromEntries(texts);
}

const HELLO = "\\1eh1\\0a";
const say = (at: string, n: string, fd = 1) =>
	`(call $say (i32.const ${fd}) (i32.const ${at}) (i32.const ${n}))`;
const ever = (what: string) => `(loop $ever ${what} (br $ever))`;

const LIARS: { readonly [name: string]: Liar } = {
	// It is right, so that the others are known to fail for what they lie about.
	"no-liar": {},
	"no-hello": { hello: "" },
	"hello-of-version-2": { hello: "\\1eh2\\0a" },
	"hello-of-nothing": { hello: "\\1eh\\0a" },
	"hello-without-end": { hello: "\\1eh1" },
	"hello-after-output": { hello: `x\\0a${HELLO}` },
	"hello-with-nonsense": {
		hello: "\\1eh1 every=abc max=-5 topic=9 __proto__=1\\0a",
	},
	"hello-every-1e400": { hello: "\\1eh1 every=1e400\\0a" },
	"hello-every-tiny": { hello: "\\1eh1 every=0.000001\\0a" },
	"hello-every-huge": { hello: "\\1eh1 every=99999999999\\0a" },
	"hello-every-negative": { hello: "\\1eh1 every=-1\\0a" },
	"hello-max-0.5": { hello: "\\1eh1 max=0.5\\0a" },
	"hello-a-hundred-times": { hello: HELLO.repeat(100) },
	"hello-again": { says: HELLO },
	"hello-again-other-version": { says: "\\1eh9\\0a" },
	"hello-again-with-timers": { says: "\\1eh1 every=1 topic\\0a" },
	"consumed-too-many": { consumed: "(i32.add (local.get $n) (i32.const 1))" },
	"consumed-too-few": { consumed: "(i32.sub (local.get $n) (i32.const 1))" },
	"consumed-a-billion": { consumed: "(i32.const 999999999)" },
	"consumed-0": { consumed: "(i32.const 0)" },
	"consumed-never": { silent: true },
	"consumed-negative": { says: "\\1ec-1\\0a" },
	"consumed-long-number": { says: `\\1ec${"9".repeat(400)}\\0a` },
	"consumed-no-number": { says: "\\1ec\\0a" },
	"consumed-hex": { says: "\\1ec0x1\\0a" },
	"from-nobody": { says: "\\1e@99999\\0a{}\\0a" },
	"from-negative": { says: "\\1e@-1\\0a{}\\0a" },
	"from-without-number": { says: "\\1e@\\0a{}\\0a" },
	"drops-nobody": { says: "\\1ed4000 gone\\0a" },
	"drops-without-reason": { says: "\\1ed0\\0a" },
	"drops-and-rejects-the-same": {
		says: "\\1ed0 a\\0a\\1er0 b\\0a\\1ed0 c\\0a",
	},
	"rejects-a-thousand-times": { says: "\\1er0 again\\0a".repeat(1000) },
	"rejects-nobody": { says: "\\1er77777 bad\\0a" },
	"rejects-not-utf-8": { says: "\\1er0 \\ff\\fe\\c0\\80\\ed\\a0\\80\\0a" },
	"rejects-control-characters": {
		says: "\\1er0 \\1b[31m\\00\\08 \\22quotes\\22 \\5c\\0a",
	},
	"rejects-with-a-novel": { says: `\\1er0 ${"novel ".repeat(9000)}\\0a` },
	"suffix-endless": {
		says: `\\1e@0\\0a\\1e>${"deep/".repeat(10_000)}\\0a{}\\0a`,
	},
	"suffix-wildcard": { says: "\\1e@0\\0a\\1e>+/#\\0a{}\\0a" },
	"suffix-not-utf-8": { says: "\\1e@0\\0a\\1e>\\ff\\c0\\0a{}\\0a" },
	"suffix-climbs": { says: "\\1e@0\\0a\\1e>../../$SYS/\\00\\0a{}\\0a" },
	"suffix-for-nobody": { says: "\\1e>lost\\0a" },
	"unknown-record": { says: "\\1eZ\\0a" },
	"empty-record": { says: "\\1e\\0a" },
	"record-without-end": { says: "\\1er0 unfinished" },
	"line-of-50000": { says: `\\1e@0\\0a${"x".repeat(50_000)}\\0a` },
	"output-without-cause": { says: "{}\\0a" },
	"output-of-nothing": { says: "\\1e@0\\0a\\0a\\0a\\0a" },
	"output-from-every-byte": {
		says: `\\1e@0\\0a${Array.from({ length: 256 }, (_, k) => `\\${k.toString(16).padStart(2, "0")}`).join("")}\\0a`,
	},
	"record-of-megabytes": { does: ever(say("1024", "60000")) },
	"record-byte-by-byte": { does: ever(say("1100", "1")) },
	"outputs-of-nothing-for-ever": { does: ever(say("36", "1")) },
	"stderr-for-ever": { does: ever(say("1024", "60000", 2)) },
	loops: { does: ever("") },
	traps: { does: "unreachable" },
	exits: { does: "(call $exit (i32.const 0))" },
	grows: { does: ever("(drop (memory.grow (i32.const 1)))") },
	recurses: { does: "(call $deep)" },
	"starts-again": { does: "(call $start)" },
	"reads-behind-the-end": { does: ever("(drop (call $take))") },
};

/** Counts what it reads and says so, but for its lie. */
function liarText(liar: Liar): string {
	const { hello = HELLO, says = "", does, silent = false } = liar;
	const { consumed = "(local.get $n)" } = liar;
	return `
  (import ${P1} "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import ${P1} "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import ${P1} "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 3)
  (data (i32.const 32) "\\1ec")
  (data (i32.const 36) "\\0a")
  (data (i32.const 1024) "${says}")
  (data (i32.const 132000) "${hello}")
  (func $say (param $fd i32) (param $at i32) (param $n i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $n))
    (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16))))
  (func $deep (call $deep))
  ;; Lines without RS in front, in all that can be read now
  (func $take (result i32) (local $p i32) (local $end i32) (local $lines i32)
    (loop $more
      (i32.store (i32.const 0) (i32.const 65536))
      (i32.store (i32.const 4) (i32.const 65536))
      (i32.store (i32.const 16) (i32.const 0))
      (if (i32.eqz (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16))) (then
        (local.set $p (i32.const 65536))
        (local.set $end (i32.add (local.get $p) (i32.load (i32.const 16))))
        (if (i32.eq (i32.load8_u (local.get $p)) (i32.const 0x1e)) (then
          (local.set $lines (i32.sub (local.get $lines) (i32.const 1)))))
        (if (i32.lt_u (local.get $p) (local.get $end)) (then
          (loop $byte
            (if (i32.eq (i32.load8_u (local.get $p)) (i32.const 10)) (then
              (local.set $lines (i32.add (local.get $lines) (i32.const 1)))))
            (local.set $p (i32.add (local.get $p) (i32.const 1)))
            (br_if $byte (i32.lt_u (local.get $p) (local.get $end))))
          (br $more))))))
    (local.get $lines))
  ;; RS c and the number in nine digits or fewer
  (func $consumed (param $n i32) (local $p i32)
    (local.set $p (i32.const 500))
    (i32.store8 (local.get $p) (i32.const 10))
    (loop $digit
      (local.set $p (i32.sub (local.get $p) (i32.const 1)))
      (i32.store8 (local.get $p) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
      (local.set $n (i32.div_u (local.get $n) (i32.const 10)))
      (br_if $digit (local.get $n)))
    (local.set $p (i32.sub (local.get $p) (i32.const 2)))
    (i32.store16 (local.get $p) (i32.const 0x631e))
    (call $say (i32.const 1) (local.get $p) (i32.sub (i32.const 501) (local.get $p))))
  (func $start (export "_start")
    (drop (call $take))
    ${say("132000", String(sizeOf(hello)))})
  (func (export "pump") (local $n i32)
    (local.set $n (call $take))
    (if (i32.gt_s (local.get $n) (i32.const 0)) (then
      ${does ?? say("1024", String(sizeOf(says)))}
      ${silent ? "" : `(call $consumed ${consumed})`})))`;
}

/** Bytes of a string of the text format. */
function sizeOf(text: string): number {
	return text.replaceAll(/\\(?:[0-9a-f]{2}|.)/g, "x").length;
}
