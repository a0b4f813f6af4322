import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigReader } from '@periplus/component';
import { afterAll, describe, expect, it } from 'vitest';
import { controllerManagerConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'periplus-controller-manager-'));
const file = join(folder, 'file.pem');
writeFileSync(file, 'PEM');
afterAll(() => rmSync(folder, { recursive: true }));

const least = {
  apiServers: ['127.0.0.1:6444'],
  etcd: { endpoints: ['http://127.0.0.1:2379'] },
  tls: { ca: file, cert: file, key: file },
  rootCaFile: file,
};
const shaped = (values: object = {}) => {
  const reader = new ConfigReader({ ...least, ...values });
  const config = controllerManagerConfig(reader);
  reader.end();
  return config;
};

describe('the configuration of the controller-manager', () => {
  it('is that of kube-controller-manager where it does not say', () => {
    expect(shaped()).toMatchObject({
      nodeMonitor: { startupGraceMs: 60_000 },
      podNetworks: [],
      signingAuthority: null,
      recycler: { image: 'registry.k8s.io/build-image/debian-base:bookworm-v1.0.6' },
      endedPodsKeptMax: 12_500,
      autoscaler: { syncPeriodMs: 15_000, tolerance: 0.1 },
    });
  });

  it('says what volumes are emptied with, and how many ended pods are kept', () => {
    expect(shaped({ recyclerImage: 'shell:1', endedPodsKept: 0 })).toMatchObject({
      recycler: { image: 'shell:1' },
      endedPodsKeptMax: 0,
    });
    expect(() => shaped({ endedPodsKept: -1 })).toThrow(
      /^endedPodsKept: must be a whole number from 0 to 1000000, not -1$/,
    );
    expect(() => shaped({ recyclerImage: '' })).toThrow(/^recyclerImage: must be a non-empty string/);
    expect(() => shaped({ endedPods: 3 })).toThrow(/endedPods/);
  });

  it.each([
    ['one range', { cidrs: ['10.200.0.0/16'] }, [{ cidr: '10.200.0.0/16', nodeMaskBits: 24 }]],
    [
      'one of each family',
      { cidrs: ['10.200.0.0/16', 'fd00:10::/48'] },
      [
        { cidr: '10.200.0.0/16', nodeMaskBits: 24 },
        { cidr: 'fd00:10::/48', nodeMaskBits: 64 },
      ],
    ],
    [
      'the size of the nodes',
      { cidrs: ['fd00:10::/48', '10.200.0.0/16'], nodeMaskBitsIpv4: 26, nodeMaskBitsIpv6: 60 },
      [
        { cidr: 'fd00:10::/48', nodeMaskBits: 60 },
        { cidr: '10.200.0.0/16', nodeMaskBits: 26 },
      ],
    ],
  ])('names %s of pods', (_, podNetwork, networks) => {
    expect(shaped({ podNetwork }).podNetworks).toEqual(networks);
  });

  it.each([
    ['no range', { cidrs: [] }, /^podNetwork\.cidrs: must name a range$/],
    ['nothing', {}, /^podNetwork\.cidrs: /],
    ['what is no range', { cidrs: ['10.200.0.0'] }, /^podNetwork\.cidrs: /],
    ['two of one family', { cidrs: ['10.200.0.0/16', '10.201.0.0/16'] }, /^podNetwork\.cidrs: /],
    ['nodes larger than the range', { cidrs: ['10.200.0.0/16'], nodeMaskBitsIpv4: 12 }, /^podNetwork\.cidrs: /],
    ['nodes of no address', { cidrs: ['10.200.0.0/16'], nodeMaskBitsIpv4: 31 }, /^podNetwork\.nodeMaskBitsIpv4: /],
    ['what nobody asks for', { cidrs: ['10.200.0.0/16'], mask: 24 }, /podNetwork\.mask/],
  ])('can not name %s', (_, podNetwork, problem) => {
    expect(() => shaped({ podNetwork })).toThrow(problem);
  });
});
