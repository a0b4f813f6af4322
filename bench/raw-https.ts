import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

const HEAD_END = Buffer.from('\r\n\r\n');

/** The server's answer to one request. */
interface Answer {
  status: number;
  body: Buffer;
}

/**
 * One keep-alive HTTP/1.1 connection that costs its process little, so that a load generator on the same two
 * cores measures the server and not itself. Requests are whole buffers, one at a time; bodies have a content-length.
 */
export class RawConnection {
  private readonly socket: TLSSocket;
  private received: Buffer[] = [];
  private receivedBytes = 0;
  private waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
  private head: { status: number; bodyAt: number; end: number } | undefined;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('error', (error) => this.waiting?.reject(error));
    socket.on('close', () => this.waiting?.reject(new Error('the server closed the connection')));
  }

  static async open(options: ConnectionOptions): Promise<RawConnection> {
    const socket = connect({ ...options, ALPNProtocols: ['http/1.1'] });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    return new RawConnection(socket);
  }

  send(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket.write(request);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private onData(chunk: Buffer): void {
    this.received.push(chunk);
    this.receivedBytes += chunk.length;
    if (!this.head) this.readHead();
    if (!this.head || this.receivedBytes < this.head.end) return;
    const all = this.received.length === 1 ? this.received[0]! : Buffer.concat(this.received);
    const { status, bodyAt, end } = this.head;
    this.received = [];
    this.receivedBytes = 0;
    this.head = undefined;
    const { resolve } = this.waiting!;
    this.waiting = undefined;
    resolve({ status, body: all.subarray(bodyAt, end) });
  }

  private readHead(): void {
    if (this.received.length > 1) this.received = [Buffer.concat(this.received)];
    const bytes = this.received[0]!;
    const headEnd = bytes.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const text = bytes.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    if (length === undefined) throw new Error(`the answer has no content-length: ${text.slice(0, 200)}`);
    this.head = { status: Number(text.slice(9, 12)), bodyAt: headEnd + 4, end: headEnd + 4 + Number(length) };
  }
}

/** The bytes of a request with a JSON body. */
export function jsonRequest(method: string, path: string, body: unknown, type = 'application/json'): Buffer {
  const bytes = Buffer.from(JSON.stringify(body));
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}
