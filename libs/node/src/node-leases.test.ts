import type { Node } from '@periplus/api';
import { alreadyExists, notFound } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import { describe, expect, it, vi } from 'vitest';
import { NodeLeases, RENEW_MS } from './node-leases.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const log = { ...silent, child: () => log };
const LEASES = { group: 'coordination.k8s.io', resource: 'leases' };
const SOON = { timeout: 20_000 };
const node = (name: string, uid: string) => ({ metadata: { name, uid } }) as Node;

/** The API as far as leases go, and the time. */
class World {
  nowMs = 0;
  readonly stored = new Set<string>();
  readonly sent: string[] = [];
  private timer: { atMs: number; callback: () => void } | undefined;

  readonly clock = {
    nowMs: () => this.nowMs,
    after: (delayMs: number, callback: () => void) => {
      this.timer = { atMs: this.nowMs + delayMs, callback };
      return () => {
        this.timer = undefined;
      };
    },
  };

  readonly commands = {
    underWay: 0,
    send: async (command: Command) => {
      const { verb, name } = command;
      this.sent.push(`${verb} ${name}`);
      if (verb === 'create' && this.stored.has(name)) throw alreadyExists(LEASES, name);
      if (verb === 'patch' && !this.stored.has(name)) throw notFound(LEASES, name);
      this.stored.add(name);
      return { resourceVersion: '1', revision: 1 };
    },
    close: async () => undefined,
  };

  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.timer;
    if (due && due.atMs <= this.nowMs) due.callback();
  }

  /** What was sent since the last call, once as much as expected was. */
  async expectSent(...expected: string[]): Promise<void> {
    await vi.waitFor(() => expect(this.sent).toEqual(expected), SOON);
    this.sent.length = 0;
  }
}

describe('leases of nodes', () => {
  it('are made once, and renewed rarely', async () => {
    const world = new World();
    const leases = new NodeLeases({ ...world, log });
    leases.see(node('a', '1'));
    leases.see(node('a', '1'));
    await world.expectSent('create a');
    world.pass(RENEW_MS - 1);
    expect(world.sent).toEqual([]);
    world.pass(1);
    await world.expectSent('patch a');
    leases.close();
    world.pass(RENEW_MS);
    expect(world.sent).toEqual([]);
  });

  it('are taken over where they stand, and made anew for a node that was made anew', async () => {
    const world = new World();
    world.stored.add('a');
    const leases = new NodeLeases({ ...world, log });
    leases.see(node('a', '1'));
    await world.expectSent('create a', 'patch a');
    world.stored.delete('a');
    leases.see(node('a', '2'));
    await world.expectSent('create a');
  });

  it('are not renewed any more once they are gone with their node', async () => {
    const world = new World();
    const leases = new NodeLeases({ ...world, log });
    leases.see(node('a', '1'));
    await world.expectSent('create a');
    world.stored.delete('a');
    world.pass(RENEW_MS);
    await world.expectSent('patch a');
    world.pass(RENEW_MS);
    leases.see(node('b', '1'));
    await world.expectSent('create b');
  });
});
