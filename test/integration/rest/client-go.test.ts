import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtinKinds } from '@periplus/api';
import { apiVersionOf, type ObjectSchema, type Schema } from '@periplus/apimachinery';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

const run = promisify(execFile);
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const PROGRAM = join(import.meta.dirname, '../../clients/client-go');
/** The first build compiles all of client-go. */
const BUILD_MS_MAX = 900_000;
const SAMPLES = join(import.meta.dirname, '../../e2e/kubectl/testdata/every-kind.yaml');
/** Objects whose lists are empty, or not there. */
const SPARSE = join(import.meta.dirname, 'testdata/empty-lists.yaml');
/** What Go would write as null too, but never has to: defaults fill it, or validation wants something in it. */
const NEVER_NULL = `
  CephFSPersistentVolumeSource.monitors CephFSVolumeSource.monitors CertificateSigningRequestSpec.request
  DaemonSetSpec.selector DeploymentSpec.selector Endpoint.addresses
  GRPCAction.service HTTPIngressPath.pathType HTTPIngressRuleValue.paths
  IngressClassParametersReference.scope LimitedPriorityLevelConfiguration.nominalConcurrencyShares NodeAllocatableResourceClaimStatus.resources
  NodeSelector.nodeSelectorTerms NonResourcePolicyRule.nonResourceURLs NonResourcePolicyRule.verbs
  NonResourceRule.verbs PodExtendedResourceClaimStatus.requestMappings PodFailurePolicyOnExitCodesRequirement.values
  PodGroupTemplateReference.workload PodSpec.containers PolicyRule.verbs
  PolicyRulesWithSubjects.subjects RBDPersistentVolumeSource.monitors RBDVolumeSource.monitors
  ReplicaSetSpec.selector ResourcePolicyRule.apiGroups ResourcePolicyRule.resources
  ResourcePolicyRule.verbs ResourceRule.verbs ScaleIOPersistentVolumeSource.secretRef
  ScaleIOVolumeSource.secretRef StatefulSetSpec.selector SubjectRulesReviewStatus.nonResourceRules
  SubjectRulesReviewStatus.resourceRules SuccessPolicy.rules TopologySelectorLabelRequirement.values
`;
const LIST_BYTES_MAX = 16 << 20;
/** What Go writes of parts of a status that say little. */
const STATUSES = {
  'pod/sample': {
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [
      { name: 'main', ready: false, restartCount: 0, image: '', imageID: '', state: { terminated: { exitCode: 1 } } },
      { name: 'other', ready: true, restartCount: 0, image: '', imageID: '', lastState: { running: {} } },
    ],
  },
  'persistentvolumeclaim/sample': { conditions: [{ type: 'Resizing', status: 'True' }] },
  'deployment/sample': { conditions: [{ type: 'Available', status: 'True' }] },
  'statefulset/sample': { replicas: 0, conditions: [{ type: 'x', status: 'True' }] },
  'job/sample': { conditions: [{ type: 'x', status: 'True' }] },
  'node/sample': { conditions: [{ type: 'Ready', status: 'True' }], runtimeHandlers: [{}], images: [{ sizeBytes: 1 }] },
  'namespace/every': { phase: 'Active', conditions: [{ type: 'x', status: 'True' }] },
  'volumeattachment/sample': { attached: false, attachError: { message: 'x' } },
  'poddisruptionbudget/sample': { observedGeneration: 1 },
};
function schemaOf(schema: Schema, step: string): Schema {
  if (schema.type === 'array') return schema.items;
  if (schema.type === 'map') return schema.values;
  return (schema as ObjectSchema).properties[step] as Schema;
}

const hasGo = spawnSync('go', ['version']).status === 0;

describe.skipIf(!hasGo)(`client-go${hasGo ? '' : ' (skipped: there is no Go to build it with)'}`, () => {
  let server: TestServer;
  let program: string;
  beforeAll(async () => {
    server = await TestServer.start();
    program = join(server.folder, 'client-go');
    await run('go', ['build', '-o', program, '.'], { cwd: PROGRAM });
  }, BUILD_MS_MAX);
  afterAll(() => server[Symbol.asyncDispose]());

  it.each([
    [PROTOBUF, [PROTOBUF, `${PROTOBUF};stream=watch`]],
    // Its metadata client prefers protobuf whatever it is told.
    ['application/json', ['application/json', PROTOBUF]],
  ])('writes, reads, pages, watches and understands errors in %s', async (type, answered) => {
    const { stdout } = await run(program, [join(server.folder, 'kubeconfig'), type]);
    const { contentTypes, protocols, ...seen } = JSON.parse(stdout);
    expect(Object.keys(contentTypes).sort()).toEqual(answered);
    expect(Object.keys(protocols)).toEqual(['HTTP/2.0']);
    expect(seen).toEqual({
      limit: '1500m yes',
      surge: '25%',
      secret: Buffer.from('pass\xff', 'latin1').toString('hex'),
      listed: ['list-0', 'list-1', 'list-2', 'list-3', 'list-4'],
      continued: true,
      conflict: true,
      notFound: true,
      invalid: expect.any(Number),
      events: ['added one', 'updated one b', 'added two', 'deleted two'],
      metadata: ['one'],
      deploymentFields: 5,
      documents: expect.any(Number),
    });
    expect(seen.invalid).toBeGreaterThan(2);
    expect(seen.documents).toBe(Object.keys((await server.ask('GET', '/openapi/v3')).json.paths).length);
  });

  it('would write every kind of object just as the server does, with what nobody has set', async () => {
    await server.kubectlOk('create namespace every');
    await server.kubectlOk('create serviceaccount default -n every');
    await server.kubectlOk(`apply -n every -f ${SAMPLES} -f ${SPARSE}`);
    for (const [object, status] of Object.entries(STATUSES)) {
      const patch = JSON.stringify({ status });
      await server.kubectlOk(`patch -n every ${object} --subresource=status --type=merge -p ${patch}`);
    }
    const list = await server.kubectlOk(`get -n every -f ${SAMPLES} -f ${SPARSE} -o json`);
    const rewriting = run(program, ['rewrite'], { maxBuffer: LIST_BYTES_MAX });
    rewriting.child.stdin!.end(list);
    const { items } = JSON.parse(list);
    expect(items.length).toBeGreaterThan(40);
    expect(items).toEqual(JSON.parse((await rewriting).stdout));
  });

  it('would write null for just those lists for which the server does', async () => {
    const kinds = builtinKinds().all();
    const asking = run(program, ['members'], { maxBuffer: LIST_BYTES_MAX });
    asking.child.stdin!.end(JSON.stringify(kinds.map((kind) => [apiVersionOf(kind), kind.kind])));
    const found = JSON.parse((await asking).stdout) as Record<string, string[]>;
    expect(Object.keys(found).length).toBeGreaterThan(20);
    const others = new Set<string>();
    for (const kind of kinds) {
      for (const path of found[`${apiVersionOf(kind)}.${kind.kind}`] ?? []) {
        const steps = path.split('.');
        const name = steps.pop()!;
        const schema = steps.reduce(schemaOf, kind.schema) as ObjectSchema;
        if (schema.unset?.[name] !== 'null') others.add(`${schema.name}.${name}`);
      }
    }
    expect([...others].sort()).toEqual(NEVER_NULL.trim().split(/\s+/));
  });
});
