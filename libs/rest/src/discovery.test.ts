import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtinKinds } from '@periplus/api';
import { describe, expect, it } from 'vitest';
import { type Document, discoveryOf } from './discovery.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever is published
type Json = any;

const discovery = discoveryOf(builtinKinds().all());
const read = (document: Document | undefined): Json => JSON.parse(document!.body.toString());

const VERBS: Readonly<Record<string, string>> = {
  'create,delete,deletecollection,get,list,patch,update,watch': '*',
  'get,patch,update': '=',
};
const listed = (all: readonly string[] | undefined): string => all?.join(',') || '-';

/** A resource in the form of the golden file. */
const row = ({ name, singularName, shortNames, namespaced, group, version, kind, verbs, categories }: Json): string =>
  [
    name,
    singularName || '-',
    listed(shortNames),
    namespaced ? 'Namespaced' : 'Cluster',
    group ? `${group}/${version}.${kind}` : kind,
    VERBS[verbs.join(',')] ?? verbs.join(','),
    listed(categories),
  ].join(' ');

describe('discovery', () => {
  it('lists what is served as kube-apiserver does: names, scopes, verbs, categories, and their order', () => {
    const served = [...discovery.resources.values()]
      .map(read)
      .flatMap(({ groupVersion, resources }) => [
        groupVersion,
        ...resources.map((resource: Json) => `${groupVersion} ${row(resource)}`),
      ]);
    let groupVersion = '';
    const golden = readFileSync(join(import.meta.dirname, 'testdata/resources.txt'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        if (line.includes(' ')) return `${groupVersion} ${line}`;
        groupVersion = line;
        return line;
      });
    const keyOf = (line: string): string => line.split(' ', 2).join(' ');
    const keys = new Set(served.map(keyOf));
    expect(served).toEqual(golden.filter((line) => keys.has(keyOf(line))));
  });

  it('tells by a hash what objects are stored as', () => {
    const hash = (groupVersion: string, name: string): string =>
      read(discovery.resources.get(groupVersion)).resources.find((one: Json) => one.name === name).storageVersionHash;
    expect(hash('/v1', 'pods')).toBe('xPOwRZ+Yhw8=');
    expect(hash('apps/v1', 'deployments')).toBe('8aSe+NMegvE=');
    expect(hash('/v1', 'events')).toBe('r2yiGXH7wu8=');
    expect(hash('events.k8s.io/v1', 'events')).toBe('r2yiGXH7wu8=');
    expect(hash('authorization.k8s.io/v1', 'subjectaccessreviews')).toBeUndefined();
  });

  it('says the same in one document, in each of its versions', () => {
    for (const version of ['v2', 'v2beta1']) {
      const { apiVersion, kind, items } = read(discovery.aggregatedGroups.get(version));
      expect([apiVersion, kind]).toEqual([`apidiscovery.k8s.io/${version}`, 'APIGroupDiscoveryList']);
      expect(items.map(({ metadata }: Json) => metadata.name)).toEqual(
        read(discovery.groups).groups.map(({ name }: Json) => name),
      );
      const apps = items.find(({ metadata }: Json) => metadata.name === 'apps').versions[0];
      expect(apps.resources.find(({ resource }: Json) => resource === 'deployments')).toEqual({
        resource: 'deployments',
        responseKind: { group: '', version: '', kind: 'Deployment' },
        scope: 'Namespaced',
        singularResource: 'deployment',
        verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
        shortNames: ['deploy'],
        categories: ['all'],
        subresources: [
          {
            subresource: 'scale',
            responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
            verbs: ['get', 'patch', 'update'],
          },
          {
            subresource: 'status',
            responseKind: { group: '', version: '', kind: 'Deployment' },
            verbs: ['get', 'patch', 'update'],
          },
        ],
      });
    }
  });
});
