export let wantsTopic: bool = false;
export function setTopic(p: usize, end: usize): void {}
