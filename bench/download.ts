import { request } from 'node:https';

export interface Target {
  host: string;
  port: number;
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

/** Downloads over a connection of its own and throws the bytes away. Returns how many there were. */
export function download(target: Target, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request({ ...target, path, agent: false, headers: { accept: 'application/json' } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`GET ${path} answered ${response.statusCode}`));
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => resolve(bytes));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}
