/**
 * The part of WebAssembly's JavaScript interface that wasieve uses
 * (W3C "WebAssembly JavaScript Interface", 2.0). Node's own types leave it out, and
 * TypeScript's come with all of a browser.
 */
declare namespace WebAssembly {
	// biome-ignore lint/suspicious/noExplicitAny: whatever the module's types say
	type Callable = (...args: any[]) => any;
	type ImportValue = Callable | Global | Memory | Table;
	type ModuleImports = Record<string, ImportValue>;
	type Imports = Record<string, ModuleImports>;
	type ExportValue = Callable | Global | Memory | Table;
	type Exports = Record<string, ExportValue>;
	type Kind = "function" | "global" | "memory" | "table" | "tag";

	class Module {
		constructor(bytes: BufferSource);
		static imports(
			module: Module,
		): { module: string; name: string; kind: Kind }[];
		static exports(module: Module): { name: string; kind: Kind }[];
		static customSections(module: Module, name: string): ArrayBuffer[];
	}

	class Instance {
		constructor(module: Module, imports?: Imports);
		readonly exports: Exports;
	}

	class Memory {
		constructor(limits: { initial: number; maximum?: number });
		/** Another buffer after each growth; the one before is detached. */
		readonly buffer: ArrayBuffer;
		grow(pages: number): number;
	}

	class Global {
		constructor(
			type: { value: "i32" | "i64" | "f32" | "f64"; mutable?: boolean },
			value?: number | bigint,
		);
		// biome-ignore lint/suspicious/noExplicitAny: number or bigint, by the type of the global
		value: any;
	}

	class Table {
		constructor(limits: {
			element: "anyfunc" | "externref";
			initial: number;
			maximum?: number;
		});
		readonly length: number;
		grow(elements: number): number;
	}

	class CompileError extends Error {}
	class LinkError extends Error {}
	class RuntimeError extends Error {}

	function compile(bytes: BufferSource): Promise<Module>;
	function validate(bytes: BufferSource): boolean;
}

type BufferSource = ArrayBuffer | ArrayBufferView;
