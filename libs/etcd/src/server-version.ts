import { get as getPlain } from 'node:http';
import { get } from 'node:https';
import type { EtcdOptions } from './types.ts';

const TIMEOUT_MS = 2_000;
const BODY_CHARS_MAX = 4_096;

/** The release of the etcd member at `url`, from the page that every member shows to everybody, or null: something else is there. */
export function serverVersion(url: string, tls: EtcdOptions['tls']): Promise<string | null> {
  return new Promise((resolve) => {
    const page = new URL('/version', url);
    const options = { timeout: TIMEOUT_MS, agent: false } as const;
    const request = page.protocol === 'https:' ? get(page, { ...options, ...tls }) : getPlain(page, options);
    request.on('error', () => resolve(null));
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > BODY_CHARS_MAX) request.destroy(new Error('not the version page'));
      });
      response.on('end', () => resolve(/"etcdserver":\s*"([\d.]+)/.exec(body)?.[1] ?? null));
      response.on('error', () => resolve(null));
    });
  });
}

/** The first release of each line that answers a progress request only after all events before it. */
const TRUSTED_FROM: Record<string, number> = { '3.4': 31, '3.5': 13 };

/**
 * Whether a requested progress notification can be believed: older releases answer from beside the event stream, ahead of events
 * still to be sent. https://github.com/etcd-io/etcd/issues/15220 and 17507
 */
export function answersProgressInOrder(version: string | null): boolean {
  const [major, minor, patch] = (version ?? '0.0.0').split('.').map(Number) as [number, number, number];
  const from = TRUSTED_FROM[`${major}.${minor}`];
  return from === undefined ? major > 3 || (major === 3 && minor > 5) : patch >= from;
}
