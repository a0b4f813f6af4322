import { type KubeObject, type ManagedFieldsEntry, StatusError } from '@periplus/apimachinery';
import type { ObjectResult, RequestContext } from '@periplus/operations';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, podOf, refusal, startCore, type TestCore, user } from './core.ts';

const APPLY = 'application/apply-patch+yaml';
let core: TestCore;
beforeAll(async () => {
  core = await startCore();
});
afterAll(() => core[Symbol.asyncDispose]());

interface ApplyOptions extends Partial<RequestContext> {
  force?: boolean;
}

function apply(resource: string, name: string, config: object, options: ApplyOptions = {}, subresource = '') {
  const { force, ...more } = { fieldManager: 'kubectl', ...options };
  const target = at(resource, 'default', name, subresource);
  return core.operations.patch(core.as(admin, more), target, { mediaType: APPLY, body: body(config), force });
}

const configMap = (name: string, data: Record<string, string>, metadata: object = {}): object => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data },
});

const deployment = (name: string, spec: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { app: name } },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'a:1', ports: [{ containerPort: 80 }] }] },
    },
    ...spec,
  },
});

/** `manager operation subresource`, and what it owns. */
const managed = ({ metadata }: Pick<KubeObject, 'metadata'>): Record<string, unknown> =>
  Object.fromEntries(
    (metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }) => [
      [manager, operation, subresource].filter(Boolean).join(' '),
      fieldsV1,
    ]),
  );
const objectOf = (result: ObjectResult): KubeObject & { data: Record<string, string> } =>
  structuredClone(result.object) as never;
const get = (resource: string, name: string) => core.get(resource, 'default', name);

describe('the first apply of an object', () => {
  it('creates it, with its fields owned and defaults owned by nobody', async () => {
    const result = await apply('apps/v1/deployments', 'fresh', deployment('fresh', { replicas: 2 }));
    expect(result.code).toBe(201);
    const { metadata, spec } = objectOf(result) as never as { metadata: KubeObject['metadata']; spec: object };
    expect(spec).toMatchObject({ replicas: 2, revisionHistoryLimit: 10 });
    expect(metadata.managedFields).toEqual([
      {
        manager: 'kubectl',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:selector': {},
            'f:template': {
              'f:metadata': { 'f:labels': { 'f:app': {} } },
              'f:spec': {
                'f:containers': {
                  'k:{"name":"main"}': {
                    ...{ '.': {}, 'f:name': {}, 'f:image': {} },
                    'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                  },
                },
              },
            },
          },
        },
      },
    ]);
  });

  it('is for who may create', async () => {
    const someone = user('someone');
    const target = at('v1/configmaps', 'default', 'x');
    const patch = { mediaType: APPLY, body: body(configMap('x', {})) };
    expect((await refusal(core.operations.patch(core.as(someone), target, patch))).reason).toBe('Forbidden');
  });

  it('makes nothing of a dry run', async () => {
    const result = await apply('v1/configmaps', 'dry', configMap('dry', { a: '1' }), { dryRun: true });
    expect(result.code).toBe(201);
    expect(managed(objectOf(result))).toEqual({ 'kubectl Apply': { 'f:data': { 'f:a': {} } } });
    expect((await refusal(get('v1/configmaps', 'dry'))).reason).toBe('NotFound');
  });

  it('cannot be of an object that is said to be there', async () => {
    const gone = configMap('gone', {}, { uid: '0c5f2f60-5a1e-4f1c-9f62-2d8a1f6b9a11' });
    expect(await refusal(apply('v1/configmaps', 'gone', gone))).toMatchObject({
      reason: 'Conflict',
      message: expect.stringContaining('uid mismatch: the provided object specified uid 0c5f2f60'),
    });
    expect((await refusal(apply('apps/v1/deployments', 'gone', deployment('gone'), {}, 'status'))).reason).toBe(
      'NotFound',
    );
  });

  it('may happen twice at once: one creates, the other joins', async () => {
    const results = await Promise.all(
      ['one', 'two'].map((fieldManager) =>
        apply('v1/configmaps', 'race', configMap('race', { [fieldManager]: 'x' }), { fieldManager }),
      ),
    );
    expect(results.map(({ code }) => code).sort()).toEqual([200, 201]);
    expect(await get('v1/configmaps', 'race')).toMatchObject({ data: { one: 'x', two: 'x' } });
  });
});

describe('an apply', () => {
  it('conflicts with who changed a field, until it is forced', async () => {
    await apply('apps/v1/deployments', 'web', deployment('web', { replicas: 2 }));
    const patch = { mediaType: 'application/merge-patch+json', body: body({ spec: { replicas: 5 } }) };
    const autoscaler = core.as(admin, { fieldManager: 'autoscaler' });
    await core.operations.patch(autoscaler, at('apps/v1/deployments', 'default', 'web'), patch);
    const error = await refusal(apply('apps/v1/deployments', 'web', deployment('web', { replicas: 2 })));
    expect(error.toStatus()).toMatchObject({
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "autoscaler" using apps/v1: .spec.replicas',
      details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.replicas' }] },
    });
    const forced = await apply('apps/v1/deployments', 'web', deployment('web', { replicas: 2 }), { force: true });
    expect(Object.keys(managed(objectOf(forced)))).toEqual(['kubectl Apply']);
    expect(forced.object).toMatchObject({ spec: { replicas: 2 } });
  });

  it('gives up what others own by stating that it is null, and owns that', async () => {
    await apply('apps/v1/deployments', 'nulled', deployment('nulled', { minReadySeconds: 7 }));
    const config = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'nulled' } };
    const other = { ...config, spec: { minReadySeconds: null } };
    const error = await refusal(apply('apps/v1/deployments', 'nulled', other, { fieldManager: 'other' }));
    expect(error.message).toBe('Apply failed with 1 conflict: conflict with "kubectl": .spec.minReadySeconds');
    const forced = await apply('apps/v1/deployments', 'nulled', other, { fieldManager: 'other', force: true });
    expect(forced.object).not.toHaveProperty('spec.minReadySeconds');
    expect(managed(objectOf(forced))['other Apply']).toEqual({ 'f:spec': { 'f:minReadySeconds': {} } });
    const again = await apply('apps/v1/deployments', 'nulled', other, { fieldManager: 'other' });
    expect(again.resourceVersion).toBe(forced.resourceVersion);
  });

  it('removes what it stated before and does not state any more', async () => {
    await apply('v1/configmaps', 'shrink', configMap('shrink', { a: '1', b: '2' }, { labels: { x: 'y' } }));
    const other = configMap('shrink', { c: '3' });
    await apply('v1/configmaps', 'shrink', other, { fieldManager: 'other' });
    const result = await apply('v1/configmaps', 'shrink', configMap('shrink', { b: '2' }));
    expect(objectOf(result).data).toEqual({ b: '2', c: '3' });
    expect(objectOf(result).metadata.labels).toBeUndefined();
  });

  it('writes nothing when nothing changes', async () => {
    const first = await apply('apps/v1/deployments', 'same', deployment('same'), { nowMs: 1e12 });
    const again = await apply('apps/v1/deployments', 'same', deployment('same'), { nowMs: 2e12 });
    expect(again.resourceVersion).toBe(first.resourceVersion);
    expect(again.code).toBe(200);
  });

  it('does not touch quantities that are only written otherwise', async () => {
    const sized = (cpu: string): object =>
      deployment('sized', {
        template: {
          metadata: { labels: { app: 'sized' } },
          spec: { containers: [{ name: 'main', image: 'a', resources: { requests: { cpu } } }] },
        },
      });
    const first = await apply('apps/v1/deployments', 'sized', sized('1000m'));
    const again = await apply('apps/v1/deployments', 'sized', sized('1'));
    expect(again.resourceVersion).toBe(first.resourceVersion);
  });

  it('of an object that nobody managed yet leaves the rest to before-first-apply', async () => {
    await core.create('v1/configmaps', 'default', configMap('old', { a: '1' }));
    const target = at('v1/configmaps', 'default', 'old');
    const reset = { mediaType: 'application/merge-patch+json', body: body({ metadata: { managedFields: [{}] } }) };
    const forgotten = await core.operations.patch(core.as(admin), target, reset);
    expect(forgotten.object.metadata.managedFields).toBeUndefined();
    const result = await apply('v1/configmaps', 'old', configMap('old', { b: '2' }));
    expect(managed(objectOf(result))).toEqual({
      'kubectl Apply': { 'f:data': { 'f:b': {} } },
      'before-first-apply Update': { 'f:data': { '.': {}, 'f:a': {} } },
    });
  });

  it('of the status owns the status alone', async () => {
    await apply('apps/v1/deployments', 'reported', deployment('reported'));
    const status = {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'reported' } },
      ...{ spec: { replicas: 9 }, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
    };
    const result = await apply('apps/v1/deployments', 'reported', status, { fieldManager: 'agent' }, 'status');
    expect(result.object).toMatchObject({ spec: { replicas: 1 }, status: { conditions: [{ type: 'Ready' }] } });
    expect(managed(objectOf(result))['agent Apply status']).toEqual({
      'f:status': { 'f:conditions': { 'k:{"type":"Ready"}': { '.': {}, 'f:status': {}, 'f:type': {} } } },
    });
    const ignored = await apply('apps/v1/deployments', 'reported', {
      ...deployment('reported'),
      status: { replicas: 3 },
    });
    expect((ignored.object as never as { status: object }).status).not.toMatchObject({ replicas: 3 });
  });

  it('of the scale owns the replicas of the object', async () => {
    await apply('apps/v1/deployments', 'scaled', deployment('scaled', { replicas: 1 }));
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'scaled' }, spec: { replicas: 4 } };
    const hpa = { fieldManager: 'hpa' };
    const error = await refusal(apply('apps/v1/deployments', 'scaled', scale, hpa, 'scale'));
    expect(error.message).toBe('Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas');
    const result = await apply('apps/v1/deployments', 'scaled', scale, { ...hpa, force: true }, 'scale');
    expect(result.object).toMatchObject({ kind: 'Scale', spec: { replicas: 4 } });
    const owners = managed(await get('apps/v1/deployments', 'scaled'));
    expect(owners['hpa Apply scale']).toEqual({ 'f:spec': { 'f:replicas': {} } });
    expect(owners['kubectl Apply']).not.toMatchObject({ 'f:spec': { 'f:replicas': {} } });
    const given = await apply('apps/v1/deployments', 'scaled', deployment('scaled'));
    expect(given.object).toMatchObject({ spec: { replicas: 4 } });
  });

  it('goes on where client-side apply ended', async () => {
    const config = configMap('upgraded', { a: '1' });
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const annotated = (data: object): object => ({
      ...configMap('upgraded', { a: '1' }, { annotations: { [annotation]: JSON.stringify({ ...config, data }) } }),
    });
    await core.operations.create(
      core.as(admin, { fieldManager: 'kubectl-client-side-apply' }),
      at('v1/configmaps', 'default'),
      body(annotated({ a: '1' })),
    );
    const stranger = apply('v1/configmaps', 'upgraded', configMap('upgraded', { a: '2' }), { fieldManager: 'me' });
    expect((await refusal(stranger)).message).toContain('conflict with "kubectl-client-side-apply" using v1: .data.a');
    const result = objectOf(await apply('v1/configmaps', 'upgraded', configMap('upgraded', { a: '2' })));
    expect(result.data).toEqual({ a: '2' });
    expect(JSON.parse(result.metadata.annotations![annotation]!)).toEqual(configMap('upgraded', { a: '2' }));
  });

  it.each<[string, object, string]>([
    [
      'another version',
      { ...configMap('bad', {}), apiVersion: 'v2' },
      'Incorrect version specified in apply patch. Specified patch version: v2, expected: v1',
    ],
    ['no object', [], 'error decoding YAML: it is not an object'],
    ['managed fields', configMap('bad', {}, { managedFields: [] }), 'metadata.managedFields must be nil'],
    [
      'an unknown field',
      { ...configMap('bad', {}), dada: {} },
      'failed to create typed patch object (default/bad; /v1, Kind=ConfigMap): .dada: field not declared in schema',
    ],
    [
      'a wrong type',
      { ...configMap('bad', {}), data: 1 },
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string',
    ],
    [
      'another kind',
      { ...configMap('bad', {}), kind: 'Secret' },
      'failed to create typed patch object (default/bad; /v1, Kind=Secret): no corresponding type for /v1, Kind=Secret',
    ],
    [
      'no kind',
      { ...configMap('bad', {}), kind: undefined },
      'failed to create typed patch object (default/bad; /v1, Kind=): no corresponding type for /v1, Kind=',
    ],
    ['another name', configMap('worse', {}), 'the name of the object (worse) does not match the name on the URL (bad)'],
  ])('is refused with %s', async (_, config, message) => {
    expect(await refusal(apply('v1/configmaps', 'bad', config))).toMatchObject({ reason: 'BadRequest', message });
  });

  it('is refused with the name of another object than it is for', async () => {
    await apply('v1/configmaps', 'named', configMap('named', { a: '1' }));
    expect(await refusal(apply('v1/configmaps', 'named', configMap('other', { a: '1' })))).toMatchObject({
      reason: 'BadRequest',
      message: 'the name of the object (other) does not match the name on the URL (named)',
    });
  });

  it('is refused without a manager, and with a version that is outdated', async () => {
    expect((await refusal(apply('v1/configmaps', 'bad', configMap('bad', {}), { fieldManager: '' }))).message).toBe(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
    const { resourceVersion } = await apply('v1/configmaps', 'raced', configMap('raced', { a: '1' }));
    await apply('v1/configmaps', 'raced', configMap('raced', { a: '2' }));
    const stale = configMap('raced', { a: '3' }, { resourceVersion });
    expect((await refusal(apply('v1/configmaps', 'raced', stale))).reason).toBe('Conflict');
  });

  it('alone may be forced', async () => {
    const target = at('v1/configmaps', 'default', 'x');
    const patch = { mediaType: 'application/merge-patch+json', body: body({}), force: true };
    expect((await refusal(core.operations.patch(core.as(admin), target, patch))).message).toBe(
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    );
  });
});

it('a configuration may hold what refuses to become text', async () => {
  const odd = { toString: [], valueOf: 1 };
  for (const config of [
    { apiVersion: odd, kind: 'ConfigMap', metadata: { name: 'odd' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: odd, namespace: odd }, dta: {} },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'odd', finalizers: [odd, odd] } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: odd } },
  ]) {
    expect((await refusal(apply('v1/configmaps', 'odd', config))).code).toBe(400);
  }
  const patch = { mediaType: 'application/strategic-merge-patch+json', body: body({ metadata: { $patch: odd } }) };
  await apply('v1/configmaps', 'odd', configMap('odd', {}));
  const target = at('v1/configmaps', 'default', 'odd');
  expect((await refusal(core.operations.patch(core.as(admin), target, patch))).code).toBe(400);
});

describe('any configuration', () => {
  const name = fc.constantFrom('name', 'labels', 'containers', 'ports', 'a', '__proto__', 'finalizers');
  const member = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, fc.jsonValue({ maxDepth: 1 }), tie('object'), fc.array(tie('value'))),
    object: fc.dictionary(name, tie('value')),
  })).value;

  it('is applied or refused, and never breaks anything', async () => {
    const configuration = fc.record(
      { metadata: fc.oneof(member, fc.constant({ name: 'any' })), spec: member, status: member, extra: member },
      { requiredKeys: ['metadata'] },
    );
    await fc.assert(
      fc.asyncProperty(configuration, fc.boolean(), async (config, force) => {
        const value = JSON.parse(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...config })) as object;
        const result = await apply('v1/pods', 'any', value, { force }).catch((error: unknown) => error);
        if (result instanceof Error) {
          expect(result).toBeInstanceOf(StatusError);
          expect((result as StatusError).code).toBeLessThan(500);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of one version goes on where another version was applied', async () => {
    const hpa = (version: string, spec: object): object => ({
      ...{ apiVersion: `autoscaling/${version}`, kind: 'HorizontalPodAutoscaler', metadata: { name: 'two' } },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 3, ...spec },
    });
    const resource = (version: string): string => `autoscaling/${version}/horizontalpodautoscalers`;
    await apply(resource('v2'), 'two', hpa('v2', { minReplicas: 2 }));
    const other = apply(resource('v1'), 'two', hpa('v1', { minReplicas: 1 }), { fieldManager: 'other' });
    expect((await refusal(other)).message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl": .spec.minReplicas',
    );
    const again = await apply(resource('v1'), 'two', hpa('v1', { maxReplicas: 4 }));
    expect(again.object).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { maxReplicas: 4 } });
    expect(again.object.metadata.managedFields).toMatchObject([{ manager: 'kubectl', apiVersion: 'autoscaling/v1' }]);
  });
});

describe('fields of created and updated objects', () => {
  it('belong to who set them, by address; what admission adds belongs to nobody', async () => {
    await core.create('v1/serviceaccounts', 'default', { metadata: { name: 'default' } });
    const { object } = await core.create('v1/pods', 'default', podOf('tracked'));
    expect(managed(object as KubeObject)).toMatchObject({
      'test Update': { 'f:spec': { 'f:containers': { 'k:{"name":"main"}': { '.': {}, 'f:image': {} } } } },
    });
    expect(JSON.stringify(object.metadata.managedFields)).not.toContain('f:serviceAccount');
    const target = at('v1/pods', 'default', 'tracked', 'status');
    const patch = { mediaType: 'application/merge-patch+json', body: body({ status: { message: 'x' } }) };
    const updated = await core.operations.patch(core.as(admin, { fieldManager: 'kubelet' }), target, patch);
    expect(managed(updated.object as KubeObject)).toMatchObject({
      'kubelet Update status': { 'f:status': { 'f:message': {} } },
    });
  });

  it('belong to whoever the User-Agent names when there is no field manager', async () => {
    const named = (userAgent: string): Promise<ObjectResult> =>
      core.operations.create(
        core.as(admin, { fieldManager: '', userAgent }),
        at('v1/configmaps', 'default'),
        body({ metadata: { generateName: 'agent-' }, data: { a: '1' } }),
      );
    const managers = await Promise.all(['my-tool/v1 (linux)', 'bare', `${'x'.repeat(200)}/1`, ''].map(named));
    expect(managers.map(({ object }) => (object.metadata.managedFields as ManagedFieldsEntry[])[0]!.manager)).toEqual([
      ...['my-tool', 'bare', 'x'.repeat(128), 'unknown'],
    ]);
  });

  it('stay with their managers in an update that leaves the entries out or sends old ones back', async () => {
    const { object } = await core.create('v1/configmaps', 'default', configMap('kept', { a: '1' }));
    const { managedFields: _, ...metadata } = object.metadata;
    const target = at('v1/configmaps', 'default', 'kept');
    const two = core.as(admin, { fieldManager: 'two' });
    const updated = await core.operations.update(two, target, body({ ...object, metadata, data: { a: '1', b: '2' } }));
    expect(managed(updated.object as KubeObject)).toEqual({
      'test Update': { 'f:data': { '.': {}, 'f:a': {} } },
      'two Update': { 'f:data': { 'f:b': {} } },
    });
    const same = await core.operations.update(two, target, body(updated.object));
    expect(same.resourceVersion).toBe(updated.resourceVersion);
  });

  it('may be handed over by a client that writes the entries itself', async () => {
    await core.create('v1/configmaps', 'default', configMap('moved', { a: '1' }));
    const target = at('v1/configmaps', 'default', 'moved');
    const patch = [{ op: 'replace', path: '/metadata/managedFields/0/manager', value: 'heir' }];
    const mediaType = 'application/json-patch+json';
    const moved = await core.operations.patch(core.as(admin), target, { mediaType, body: body(patch) });
    expect(Object.keys(managed(moved.object as KubeObject))).toEqual(['heir Update']);
  });

  it('are told of both forms of a kind that has two', async () => {
    const event = {
      ...{ apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'e', namespace: 'default' } },
      ...{ eventTime: '2026-01-01T00:00:00.000000Z', reportingController: 'a.example/c', reportingInstance: 'i' },
      ...{ action: 'A', reason: 'R', type: 'Normal', note: 'first', regarding: { kind: 'Pod', namespace: 'default' } },
    };
    const { object } = await core.create('events.k8s.io/v1/events', 'default', event);
    expect(managed(object as KubeObject)['test Update']).toMatchObject({ 'f:note': {}, 'f:regarding': {} });
    const patch = { mediaType: 'application/merge-patch+json', body: body({ message: 'second' }) };
    const other = core.as(admin, { fieldManager: 'other' });
    const changed = await core.operations.patch(other, at('v1/events', 'default', 'e'), patch);
    const entries = changed.object.metadata.managedFields as ManagedFieldsEntry[];
    expect(entries.map(({ manager, apiVersion }) => [manager, apiVersion]).sort()).toEqual([
      ['other', 'v1'],
      ['test', 'events.k8s.io/v1'],
    ]);
  });
});
