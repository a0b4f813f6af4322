const DURATION = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|[uµμ]s|ms|s|m|h))+)$/;
const PARTS = /([\d.]+)(ns|[uµμ]s|ms|s|m|h)/g;
const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const MICROSECOND_MS = 1e-3;

/**
 * Milliseconds of a duration as Go writes it: "30s", "1m0s", "1.5h", "-500ms", "0"; undefined for what is none.
 * https://pkg.go.dev/time#ParseDuration
 */
export function goDurationMs(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(PARTS)) ms += Number(count) * (UNIT_MS[unit!] ?? MICROSECOND_MS);
  return text.startsWith('-') ? -ms : ms;
}
