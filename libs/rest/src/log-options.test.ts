import { describe, expect, it } from 'vitest';
import { chosenContainer, logQuery } from './log-options.ts';

const query = (text: string) => new URLSearchParams(text);
const pod = (spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }) as never;

describe('logQuery', () => {
  it('passes on what the node understands and nothing else', () => {
    expect(logQuery('web', query('follow=true&tailLines=5&container=a&pretty=1')).toString()).toBe(
      'follow=true&tailLines=5',
    );
  });

  it('names the options that are out of range', () => {
    expect(() => logQuery('web', query('tailLines=-1&limitBytes=0'))).toThrow(
      'PodLogOptions "web" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0]',
    );
    expect(() => logQuery('web', query('tailLines=x'))).toThrow('strconv.ParseInt: parsing "x": invalid syntax');
  });

  it('takes only one beginning', () => {
    expect(() => logQuery('web', query('sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z'))).toThrow(
      'at most one of `sinceTime` or `sinceSeconds` may be specified',
    );
  });
});

describe('chosenContainer', () => {
  it('takes the only container unasked', () => {
    expect(chosenContainer(pod({ containers: [{ name: 'a' }] }), null)).toBe('a');
  });

  it('asks for a choice among several', () => {
    const several = pod({ containers: [{ name: 'a' }, { name: 'b' }], initContainers: [{ name: 'i' }] });
    expect(() => chosenContainer(several, null)).toThrow(
      'a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [i]',
    );
    expect(chosenContainer(several, 'i')).toBe('i');
    expect(() => chosenContainer(several, 'c')).toThrow('container c is not valid for pod web');
  });
});
