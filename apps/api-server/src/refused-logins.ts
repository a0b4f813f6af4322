import type { Logger } from '@periplus/component';

/** At most one line in this time: whoever knocks again and again must not fill the log. */
const LINE_INTERVAL_MS = 1_000;

/** Tells the log why tokens were refused, which their holders are not told. */
export function refusedLogins(log: Pick<Logger, 'info'>, now: () => number): (why: string) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  let unreported = 0;
  return (why) => {
    if (now() < lastMs + LINE_INTERVAL_MS) {
      unreported++;
      return;
    }
    log.info({ why, ...(unreported > 0 && { unreported }) }, 'a login was refused');
    lastMs = now();
    unreported = 0;
  };
}
