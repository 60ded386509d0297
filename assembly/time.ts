export let wantsTime: bool = false;
export let period: u64 = 0;
export function tick(p: usize): void {}
export function finish(): void {}
