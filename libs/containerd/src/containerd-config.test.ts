import { describe, expect, it } from 'vitest';
import { containerdPaths, containerdToml, networkList, networkRules } from './containerd-config.ts';

const options = { directory: '/srv/one', name: 'one', podCidr: '10.244.0.0/24' };

describe('containerdPaths', () => {
  it('gives each directory a bridge of its own, short enough for the kernel', () => {
    const one = containerdPaths(options);
    const two = containerdPaths({ ...options, directory: '/srv/two' });
    expect(one.bridge).not.toBe(two.bridge);
    expect(one.bridge).toMatch(/^per[0-9a-f]{12}$/);
  });

  it('refuses a directory in which no socket can be made', () => {
    expect(() => containerdPaths({ ...options, directory: `/${'x'.repeat(100)}` })).toThrow('choose a shorter folder');
  });
});

describe('the configuration', () => {
  const paths = containerdPaths(options);

  it('keeps everything of containerd below the directory', () => {
    const toml = containerdToml(options, paths, 'overlayfs');
    expect(toml).toContain('root = "/srv/one/root"');
    expect(toml).toContain('address = "/srv/one/state/containerd.sock"');
    expect(toml).toContain('restrict_oom_score_adj = true');
    expect(toml).toContain('sandbox_image = "localhost/pause:1"');
  });

  it('has addresses of the node, kept apart from those of other nodes of the machine', () => {
    expect(networkList(options, paths)).toMatchObject({
      name: paths.bridge,
      plugins: [
        { bridge: paths.bridge, ipam: { dataDir: '/srv/one/addresses', ranges: [[{ subnet: '10.244.0.0/24' }]] } },
        { type: 'portmap' },
      ],
    });
  });

  it('can apply its rules again', () => {
    const rules = networkRules(options, paths);
    expect(rules.indexOf(`delete table ip ${paths.bridge}`)).toBeGreaterThan(rules.indexOf(`table ip ${paths.bridge}`));
  });
});
