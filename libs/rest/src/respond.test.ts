import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { setWarnings } from './respond.ts';

const warned = (...warnings: string[]) => {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  setWarnings(response, warnings);
  return response.getHeader('warning');
};

describe('setWarnings', () => {
  it('sends each warning once, quoted', () => {
    expect(warned('unknown field "spec.x"', 'b', 'b')).toEqual(['299 - "unknown field \\"spec.x\\""', '299 - "b"']);
    expect(warned()).toBeUndefined();
  });

  it('never breaks a header, whatever the text', () => {
    expect(warned('a\r\nSet-Cookie: x')).toEqual(['299 - "a  Set-Cookie: x"']);
    expect(() => warned('ü €')).not.toThrow();
  });

  it('shortens long warnings and leaves out what does not fit', () => {
    const headers = warned(...Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat(500)}`)) as string[];
    expect(headers.every((header) => header.length <= 256 + '299 - ""'.length)).toBe(true);
    expect(headers.length).toBe(16);
  });
});
