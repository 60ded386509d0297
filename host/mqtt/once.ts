/** A promise settled from outside, at most once; nobody has to wait for it. */
export class Once<T> {
	readonly promise: Promise<T>;
	resolve!: (value: T) => void;
	reject!: (error: Error) => void;

	constructor() {
		this.promise = new Promise<T>((resolve, reject) => {
			this.resolve = resolve;
			this.reject = reject;
		});
		this.promise.catch(() => {}); // a rejection that nobody waits for is no crash
	}
}
