/** Small programs that together use every class of instruction, with arguments for `run`. */
export interface Program {
	name: string;
	text: string;
	args: unknown[][];
}

/** `run` goes through one numeric instruction after the other. */
function numeric(): Program {
	const i32 =
		"add sub mul and or xor shl shr_s shr_u rotl rotr eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u".split(
			" ",
		);
	const f64 = "add sub mul div min max copysign".split(" ");
	const lines = [
		...i32.map(
			(op) =>
				`(local.set 2 (i32.xor (local.get 2) (i32.${op} (local.get 0) (local.get 1))))`,
		),
		...i32
			.slice(0, 11)
			.map(
				(op) =>
					`(local.set 3 (i64.xor (local.get 3) (i64.${op} (i64.extend_i32_s (local.get 0)) (i64.const -77777777777))))`,
			),
		...["clz", "ctz", "popcnt", "eqz", "extend8_s", "extend16_s"].map(
			(op) => `(local.set 2 (i32.add (local.get 2) (i32.${op} (local.get 1))))`,
		),
		...f64.map(
			(op) =>
				`(local.set 4 (f64.add (local.get 4) (f64.${op} (f64.convert_i32_s (local.get 0)) (f64.const 1.5))))`,
		),
		...["abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt"].map(
			(op) =>
				`(local.set 4 (f64.add (local.get 4) (f64.${op} (f64.const 2.5))))`,
		),
		"(local.set 4 (f64.add (local.get 4) (f64.promote_f32 (f32.const 0.25))))",
		"(local.set 3 (i64.add (local.get 3) (i64.trunc_sat_f64_s (local.get 4))))",
		"(local.set 2 (i32.add (local.get 2) (i32.trunc_sat_f32_u (f32.const 1e30))))",
	];
	return {
		name: "numbers",
		text: `(func (export "run") (param i32 i32) (result i64) (local i32 i64 f64) ${lines.join("\n")}
			(i64.add (i64.extend_i32_u (local.get 2)) (i64.add (local.get 3) (i64.reinterpret_f64 (local.get 4)))))`,
		args: [
			[1, 2],
			[-5, 31],
			[0x7fffffff, -1],
		],
	};
}

const LOOP_SUM = `(loop $l (local.set 1 (i32.add (local.get 1) (local.get 0)))
	(br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))`;

export const CLASSES: Program[] = [
	numeric(),
	{
		name: "a loop",
		text: `(func (export "run") (param i32) (result i32) (local i32) ${LOOP_SUM} (local.get 1))`,
		args: [[1], [10], [1000]],
	},
	{
		name: "a loop with parameters and results",
		text: `(func (export "run") (param i32) (result i32)
			(i32.const 0) (local.get 0)
			(loop $l (param i32 i32) (result i32)
				(local.set 0) (i32.add (local.get 0)) (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
				(local.get 0) (br_if $l (local.get 0)) (drop)))`,
		args: [[1], [9], [500]],
	},
	{
		name: "blocks with several values, br over them",
		text: `(func (export "run") (param i32) (result i32)
			(block (result i32 i32) (i32.const 3) (local.get 0) (br_if 0 (local.get 0)) (drop) (drop) (i32.const 7) (i32.const 8)) (i32.mul))`,
		args: [[0], [5]],
	},
	{
		name: "br_table into loops",
		text: `(func (export "run") (param i32) (result i32) (local i32)
			(loop $a (loop $b (block $c
				(local.set 1 (i32.add (local.get 1) (i32.const 1)))
				(local.set 0 (i32.sub (local.get 0) (i32.const 1)))
				(br_if $c (i32.le_s (local.get 0) (i32.const 0)))
				(br_table $a $b $c (i32.and (local.get 0) (i32.const 1))))))
			(local.get 1))`,
		args: [[3], [100]],
	},
	{
		name: "if and else inside loops",
		text: `(func (export "run") (param i32) (result i32) (local i32)
			(loop $l (if (i32.and (local.get 0) (i32.const 1))
				(then (local.set 1 (i32.add (local.get 1) (i32.const 3))))
				(else (loop $in (local.set 1 (i32.add (local.get 1) (i32.const 1)))
					(br_if $in (i32.and (local.get 1) (i32.const 3))))))
				(br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
			(local.get 1))`,
		args: [[1], [77]],
	},
	{
		name: "calls, recursion",
		text: `(func $fib (export "run") (param i32) (result i32)
			(if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
				(else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))`,
		args: [[1], [12]],
	},
	{
		name: "call_indirect",
		text: `(type $t (func (param i32) (result i32))) (table 3 funcref) (elem (i32.const 0) $a $b)
			(func $a (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
			(func $b (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
			(func (export "run") (param i32) (result i32) (call_indirect (type $t) (i32.const 20) (local.get 0)))`,
		args: [[0], [1], [2], [3]],
	},
	{
		name: "tail calls",
		text: `(type $t (func (param i32 i32) (result i32))) (table 1 funcref) (elem (i32.const 0) $f)
			(func $f (export "run") (param i32 i32) (result i32)
				(if (i32.eqz (local.get 0)) (then (return (local.get 1))))
				(if (i32.and (local.get 0) (i32.const 1))
					(then (return_call $f (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 1)))))
				(return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 2)) (i32.const 0)))`,
		args: [
			[0, 1],
			[2000, 0],
		],
	},
	{
		name: "loads, stores, size and growth",
		text: `(memory 1) (func (export "run") (param i32) (result i32)
			(i64.store offset=8 (local.get 0) (i64.const 0x1122334455667788))
			(i32.store8 offset=9 (local.get 0) (i32.const 255)) (f32.store offset=20 (local.get 0) (f32.const 1))
			(i32.add (i32.add (i32.load16_s offset=8 align=1 (local.get 0)) (i32.load offset=12 (local.get 0)))
				(i32.add (memory.grow (i32.const 2)) (i32.add (memory.grow (i32.const 100000)) (memory.size)))))`,
		args: [[0], [1000], [65_536], [-1]],
	},
	{
		name: "bulk memory",
		text: `(memory 1) (data $d "hello, meter") (func (export "run") (param i32) (result i32)
			(memory.init $d (i32.const 16) (i32.const 0) (i32.const 12))
			(memory.copy (i32.const 40) (i32.const 16) (local.get 0)) (memory.fill (i32.const 60) (i32.const 7) (local.get 0))
			(data.drop $d) (i32.add (i32.load (i32.const 42)) (i32.load (i32.const 60))))`,
		args: [[0], [12], [9000], [70_000]],
	},
	{
		name: "tables",
		text: `(table $t 4 20 funcref) (table $u 4 externref) (elem $e func $a $b) (type $f (func (result i32)))
			(func $a (result i32) (i32.const 11)) (func $b (result i32) (i32.const 22))
			(func (export "run") (param i32) (result i32)
				(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2)) (elem.drop $e)
				(table.copy $t $t (i32.const 2) (i32.const 0) (i32.const 2))
				(drop (table.grow $t (ref.func $b) (local.get 0)))
				(table.fill $t (i32.const 0) (ref.func $b) (i32.const 1)) (table.set $t (i32.const 1) (table.get $t (i32.const 2)))
				(i32.add (i32.mul (table.size $t) (i32.const 100)) (call_indirect $t (type $f) (i32.sub (table.size $t) (i32.const 1)))))`,
		args: [[0], [5], [100]],
	},
	{
		name: "references, select, drop, nop",
		text: `(func $a) (elem declare func $a) (func (export "run") (param i32) (result i32) (nop)
			(i32.add (ref.is_null (select (result funcref) (ref.null func) (ref.func $a) (local.get 0)))
				(select (i32.const 10) (i32.const 20) (local.get 0))))`,
		args: [[0], [1]],
	},
	{
		name: "globals, early return, unreachable",
		text: `(global $g (mut i32) (i32.const 5)) (global $h (mut f64) (f64.const 0.5)) (func (export "run") (param i32) (result i32)
			(global.set $g (i32.add (global.get $g) (local.get 0)))
			(if (i32.gt_s (local.get 0) (i32.const 9)) (then (return (global.get $g))))
			(if (i32.eqz (local.get 0)) (then (unreachable))) (i32.trunc_f64_s (f64.add (global.get $h) (f64.convert_i32_s (global.get $g)))))`,
		args: [[1], [0], [10]],
	},
	{
		name: "SIMD",
		text: `(memory 1) (func (export "run") (param i32) (result i32) (local v128)
			(v128.store offset=32 (i32.const 0) (v128.const i32x4 1 2 3 4))
			(local.set 1 (i8x16.shuffle 0 1 2 3 16 17 18 19 8 9 10 11 24 25 26 27 (v128.load offset=32 (i32.const 0)) (i32x4.splat (local.get 0))))
			(local.set 1 (v128.load8_lane 3 (i32.const 36) (local.get 1))) (local.set 1 (i32x4.replace_lane 2 (local.get 1) (i32.const -9)))
			(v128.store16_lane 1 (i32.const 64) (local.get 1)) (local.set 1 (v128.xor (local.get 1) (v128.load32_zero (i32.const 32))))
			(local.set 1 (i16x8.add (local.get 1) (v128.load8x8_s (i32.const 32)))) (local.set 1 (v128.bitselect (local.get 1) (v128.load32_splat (i32.const 36)) (v128.const i64x2 -1 255)))
			(i32.add (i32.add (i8x16.bitmask (i8x16.eq (local.get 1) (i8x16.splat (i32.const 0)))) (i32x4.extract_lane 1 (local.get 1))) (i32.load16_u (i32.const 64))))`,
		args: [[0], [77], [-1]],
	},
	{
		name: "division and its traps",
		text: `(func (export "run") (param i32 i32) (result i32) (i32.add (i32.div_s (local.get 0) (local.get 1)) (i32.rem_u (local.get 0) (local.get 1))))`,
		args: [
			[7, 2],
			[7, 0],
			[-2147483648, -1],
		],
	},
	{
		name: "code after an endless branch",
		text: `(func (export "run") (param i32) (result i32) (block (br 0) (loop (drop (memory.grow (i32.const 1))) (br 0))) (local.get 0)) (memory 1)`,
		args: [[4]],
	},
];
