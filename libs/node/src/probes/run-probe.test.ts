import { expect, it } from 'vitest';
import { portNumber } from './run-probe.ts';

it('finds ports by number and by the name that the container gives them', () => {
  const container = { name: 'main', ports: [{ name: 'web', containerPort: 8080 }] };
  expect([80, '81', 'web', 'db'].map((port) => portNumber(container, port))).toEqual([80, 81, 8080, undefined]);
});
