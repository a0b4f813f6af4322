/** Runs `work` over and over on `lanes` lanes for `ms` milliseconds. Returns how often it was done per second. */
export async function perSecond(
  lanes: number,
  ms: number,
  work: (lane: number, turn: number) => Promise<void>,
): Promise<number> {
  const started = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let turn = 0; performance.now() - started < ms; turn += 1) {
        await work(lane, turn);
        done += 1;
      }
    }),
  );
  return (done * 1000) / (performance.now() - started);
}
