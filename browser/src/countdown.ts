// 3-2-1, which one can call off.

/** Says 3, 2 and 1, a second apart; `end` is true when it was counted to the end. */
export class Countdown {
  readonly end: Promise<boolean>;
  #done!: (whole: boolean) => void;
  #timer: ReturnType<typeof setInterval>;

  constructor(say: (number: number) => void) {
    this.end = new Promise((resolve) => (this.#done = resolve));
    let number = 3;
    say(number);
    this.#timer = setInterval(() => {
      number -= 1;
      if (number > 0) say(number);
      else this.#stop(true);
    }, 1000);
  }

  cancel(): void {
    this.#stop(false);
  }

  #stop(whole: boolean): void {
    clearInterval(this.#timer);
    this.#done(whole);
  }
}
