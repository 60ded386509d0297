export function closeObject(): void {}
