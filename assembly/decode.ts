export function decodeString(p: usize): string { return "" }
export function decodeText(p: usize, end: usize): string { return "" }
