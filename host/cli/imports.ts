/** "module.name" of every import of a module that the compiler has just written. */
export function importsOf(bytes: Uint8Array): string[] {
	const reader = new Reader(bytes, 8);
	while (reader.at < bytes.length) {
		const id = reader.byte();
		const size = reader.leb();
		if (id === IMPORTS) return listImports(reader);
		reader.at += size;
	}
	return [];
}

const IMPORTS = 2;
const FUNCTION = 0;

/** | module name | name | kind 0 | type index |, all that asc's import sections of filters hold */
function listImports(reader: Reader): string[] {
	const names: string[] = [];
	for (let count = reader.leb(); count > 0; count--) {
		names.push(`${reader.name()}.${reader.name()}`);
		if (reader.byte() !== FUNCTION) return names;
		reader.leb();
	}
	return names;
}

class Reader {
	constructor(
		readonly bytes: Uint8Array,
		public at: number,
	) {}

	byte(): number {
		return this.bytes[this.at++] as number;
	}

	leb(): number {
		let value = 0;
		let shift = 0;
		let byte: number;
		do {
			byte = this.byte();
			value |= (byte & 0x7f) << shift;
			shift += 7;
		} while (byte & 0x80);
		return value >>> 0;
	}

	name(): string {
		const size = this.leb();
		this.at += size;
		return new TextDecoder().decode(
			this.bytes.subarray(this.at - size, this.at),
		);
	}
}
