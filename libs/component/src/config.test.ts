import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigReader, readConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'periplus-config-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('readConfig', () => {
  it('reads the file that --config names', () => {
    const file = join(folder, 'config.json');
    writeFileSync(file, '{"port": 6443}');
    expect(readConfig(['--config', file], (reader) => ({ port: reader.port('port') }))).toEqual({ port: 6443 });
  });

  it('says which option is missing', () => {
    expect(() => readConfig([], () => ({}))).toThrow('--config: is required: the path of a JSON file');
  });
});

describe('ConfigReader', () => {
  it('names the field, what is expected and what was found', () => {
    const reader = new ConfigReader({ etcd: { endpoints: 'x' } });
    expect(() => reader.object('etcd').strings('endpoints')).toThrow(
      'etcd.endpoints: must be a list of strings, not "x"',
    );
    expect(() => new ConfigReader({ port: 70_000 }).port('port')).toThrow(
      'port: must be a whole number from 0 to 65535, not 70000',
    );
    expect(() => new ConfigReader({}).string('name')).toThrow('name: is required: a non-empty string');
  });

  it('refuses fields that nobody asked for, at every depth', () => {
    const reader = new ConfigReader({ etcd: { prefix: '/p', prefx: '/q' } });
    reader.object('etcd').string('prefix');
    expect(() => reader.end()).toThrow('etcd.prefx: unknown field; known: prefix');
  });

  it('reads lists of objects, whose fields have a place in the list', () => {
    const reader = new ConfigReader({ users: [{ name: 'a' }, { name: '' }] });
    const [first, second] = reader.objects('users');
    expect(first!.string('name')).toBe('a');
    expect(() => second!.string('name')).toThrow('users[1].name: must be a non-empty string');
    expect(() => new ConfigReader({ users: {} }).objects('users')).toThrow('users: must be a list of objects');
    expect(() => new ConfigReader({ users: ['a'] }).objects('users')).toThrow('users[0]: must be an object');
  });

  it('takes a fallback only for an absent field', () => {
    expect(new ConfigReader({}).oneOf('level', ['info', 'debug'], 'info')).toBe('info');
    expect(() => new ConfigReader({ level: 'loud' }).oneOf('level', ['info', 'debug'], 'info')).toThrow(
      'one of info, debug',
    );
  });
});
