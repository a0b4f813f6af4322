import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ALGORITHMS = {
  ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['rsa:2048'],
} as const;

/**
 * A key, and a request for a certificate of it, as users make them: with `openssl req`. `subject` is "/O=devs/CN=ann",
 * `names` are "DNS:a.example,IP:10.0.0.1".
 */
export function requestCertificate(
  subject: string,
  names = '',
  algorithm: keyof typeof ALGORITHMS = 'ec',
): { request: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'periplus-request-'));
  try {
    const keyFile = join(folder, 'key.pem');
    const more = names ? ['-addext', `subjectAltName=${names}`] : [];
    const args = ['req', '-new', '-newkey', ...ALGORITHMS[algorithm], '-nodes', '-keyout', keyFile, '-subj', subject];
    const request = execFileSync('openssl', [...args, ...more], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { request, key: readFileSync(keyFile, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
