import { describe, expect, it } from 'vitest';
import { builtinKinds } from './builtin.ts';
import { coreEvent } from './core/event.ts';
import { pod } from './core/pod.ts';
import type { Kind } from './kind.ts';
import { KindRegistry } from './registry.ts';

const aKind = (group: string, version: string, kind: string): Kind => ({
  ...pod,
  group,
  version,
  kind,
  plural: `${kind.toLowerCase()}s`,
});

describe('a registry of kinds', () => {
  it('finds kinds by resource and by kind', () => {
    const kinds = builtinKinds();
    expect(kinds.byResource('apps', 'v1', 'deployments')).toBe(kinds.byKind('apps', 'v1', 'Deployment'));
    expect(kinds.byResource('apps', 'v2', 'deployments')).toBeUndefined();
  });

  it('knows in which form a resource is stored', () => {
    const kinds = builtinKinds();
    expect(kinds.storageKind('events.k8s.io', 'events')).toBe(coreEvent);
    expect(kinds.storageKind('', 'events')).toBe(coreEvent);
    expect(kinds.storageKind('', 'nothings')).toBeUndefined();
  });

  it('orders groups as Kubernetes does, and versions by how mature and new they are', () => {
    const kinds = new KindRegistry([
      aKind('zoo.example.com', 'v1', 'Cat'),
      aKind('apps', 'v1beta1', 'Cat'),
      aKind('apps', 'v1', 'Cat'),
      aKind('apps', 'v2alpha1', 'Cat'),
      aKind('apps', 'v10', 'Cat'),
      aKind('apps', 'special', 'Cat'),
      aKind('', 'v1', 'Cat'),
      aKind('art.example.com', 'v1', 'Cat'),
      aKind('', 'v1', 'Ape'),
    ]);
    expect(kinds.groups()).toEqual(['', 'apps', 'art.example.com', 'zoo.example.com']);
    expect(kinds.versions('apps')).toEqual(['v10', 'v1', 'v1beta1', 'v2alpha1', 'special']);
    expect(
      kinds
        .all()
        .slice(0, 2)
        .map(({ kind }) => kind),
    ).toEqual(['Ape', 'Cat']);
  });

  it('takes in kinds at run time, replaces them and lets them go', () => {
    const kinds = new KindRegistry();
    const cat = aKind('example.com', 'v1', 'Cat');
    kinds.add(cat);
    expect([kinds.all(), kinds.storageKind('example.com', 'cats')]).toEqual([[cat], cat]);
    const other = { ...cat };
    kinds.add(other);
    expect(kinds.byKind('example.com', 'v1', 'Cat')).toBe(other);
    kinds.delete('example.com', 'v1', 'cats');
    expect([kinds.all(), kinds.storageKind('example.com', 'cats')]).toEqual([[], undefined]);
  });

  it('gives every cluster a registry of its own', () => {
    const kinds = builtinKinds();
    kinds.delete('', 'v1', 'pods');
    expect(builtinKinds().byResource('', 'v1', 'pods')).toBe(pod);
  });
});
