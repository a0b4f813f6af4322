import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Shell } from './shell.ts';

describe('kubectl changes objects', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await Shell.start('changes');
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

  it('create makes every kind that it has a command for', async () => {
    for (const [line, created] of [
      ['configmap made --from-literal=a=b', 'configmap/made'],
      ['secret generic made --from-literal=a=b', 'secret/made'],
      ['secret docker-registry pull --docker-username=u --docker-password=p', 'secret/pull'],
      ['serviceaccount made', 'serviceaccount/made'],
      ['quota made --hard=pods=100', 'resourcequota/made'],
      ['priorityclass made --value=5', 'priorityclass.scheduling.k8s.io/made'],
      ['role made --verb=get --resource=pods', 'role.rbac.authorization.k8s.io/made'],
      ['rolebinding made --role=made --user=jane', 'rolebinding.rbac.authorization.k8s.io/made'],
      ['clusterrole made --verb=list --resource=nodes', 'clusterrole.rbac.authorization.k8s.io/made'],
      ['clusterrolebinding made --clusterrole=made --group=g', 'clusterrolebinding.rbac.authorization.k8s.io/made'],
      ['service clusterip made --tcp=80:8080', 'service/made'],
      ['service nodeport port --tcp=80', 'service/port'],
      ['service externalname name --external-name=example.com', 'service/name'],
      ['service loadbalancer balancer --tcp=80', 'service/balancer'],
      ['deployment made --image=example.com/a --replicas=0', 'deployment.apps/made'],
      ['job made --image=example.com/a', 'job.batch/made'],
      ["cronjob made --image=example.com/a '--schedule=*/5 * * * *'", 'cronjob.batch/made'],
      ['job manual --from=cronjob/made', 'job.batch/manual'],
      ['ingress made --rule=example.com/=made:80', 'ingress.networking.k8s.io/made'],
      ['poddisruptionbudget made --selector=app=made --min-available=1', 'poddisruptionbudget.policy/made'],
    ]) {
      expect(await shell.ok(`create ${line}`)).toBe(`${created} created\n`);
    }
    expect(await shell.ok('create token made --duration=10m')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n?$/);
    expect(await shell.ok('get secret made -o jsonpath={.data.a}')).toBe('Yg==');
    const generated = shell.file(
      'generated.yaml',
      '{apiVersion: v1, kind: ConfigMap, metadata: {generateName: made-}}',
    );
    expect(await shell.ok(`create -f ${generated}`)).toMatch(/^configmap\/made-[a-z0-9]{5} created\n$/);
    expect(await shell.fails('create configmap made')).toBe(
      'error: failed to create configmap: configmaps "made" already exists',
    );
    const dry = await shell.ok('create deployment dry --image=example.com/a --dry-run=server -o yaml');
    expect(dry).toContain('progressDeadlineSeconds: 600');
    expect(await shell.fails('get deploy dry')).toBe('Error from server (NotFound): deployments.apps "dry" not found');
  });

  it('apply creates, changes nothing twice, changes what differs and removes what the file no longer has', async () => {
    const first = shell.file('first.yaml', deployment('applied'));
    const second = shell.file(
      'second.yaml',
      deployment('applied').replace('main:1', 'main:2').replace(', env: [{name: A, value: "1"}]', ''),
    );
    expect(await shell.ok(`apply -f ${first}`)).toBe('deployment.apps/applied created\n');
    expect(await shell.ok(`apply -f ${first}`)).toBe('deployment.apps/applied unchanged\n');
    expect(await shell.ok(`diff -f ${first}`)).toBe('');
    const { code, stdout } = await shell.cluster.tryKubectl(['-n', 'changes', 'diff', '-f', second]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^- +image: example.com\/main:1\n\+ +- image: example.com\/main:2|^\+.*example.com\/main:2$/m,
    );
    expect(await shell.ok(`apply -f ${second} --dry-run=server`)).toBe(
      'deployment.apps/applied configured (server dry run)\n',
    );
    expect(await shell.ok(`apply -f ${second} --dry-run=client`)).toBe(
      'deployment.apps/applied configured (dry run)\n',
    );
    expect(await shell.ok(`apply -f ${second}`)).toBe('deployment.apps/applied configured\n');
    const [container] = (await shell.json('deploy applied')).spec.template.spec.containers;
    expect(container.image).toBe('example.com/main:2');
    expect(container).not.toHaveProperty('env');
    expect(await shell.ok('apply view-last-applied deploy/applied')).toContain('image: example.com/main:2');
    expect(await shell.ok(`apply set-last-applied -f ${first}`)).toBe('deployment.apps/applied configured\n');
    const editor = shell.file('last.sh', `#!/bin/sh\nsed -i 's/main:1/main:3/' "$1"\n`);
    expect(await shell.ok('apply edit-last-applied deploy/applied', { editor })).toBe(
      'deployment.apps/applied edited\n',
    );
    expect(await shell.ok('apply view-last-applied deploy/applied')).toContain('image: example.com/main:3');
  });

  it('apply prunes what the files do not have any more', async () => {
    const map = (name: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, labels: {set: one}}}`;
    const both = shell.file('both.yaml', `${map('kept')}\n---\n${map('pruned')}\n`);
    await shell.ok(`apply -f ${both}`);
    const kept = shell.file('kept.yaml', map('kept'));
    expect(await shell.ok(`apply -f ${kept} --prune -l set=one --prune-allowlist=core/v1/ConfigMap`)).toBe(
      'configmap/kept unchanged\nconfigmap/pruned pruned\n',
    );
  });

  it('apply takes a kustomization', async () => {
    shell.file('base.yaml', deployment('base'));
    shell.file(
      'kustomization.yaml',
      '{namePrefix: pre-, resources: [base.yaml], configMapGenerator: [{name: c, literals: [a=b]}]}',
    );
    const { home } = shell.cluster;
    expect(await shell.ok(`apply -k ${home}`)).toMatch(
      /^configmap\/pre-c-[a-z0-9]+ created\ndeployment\.apps\/pre-base created\n$/,
    );
    expect(await shell.ok(`diff -k ${home}`)).toBe('');
    expect(await shell.ok(`delete -k ${home}`)).toContain('deployment.apps "pre-base" deleted from changes namespace');
  });

  it('edit sends what an editor has changed, and comes back with what is wrong', async () => {
    await shell.ok('create configmap edited --from-literal=a=old');
    const editor = (name: string, script: string) => shell.file(name, `#!/bin/sh\nsed -i '${script}' "$1"\n`);
    const good = editor('good.sh', 's/a: old/a: new/');
    expect(await shell.ok('edit configmap edited', { editor: good })).toBe('configmap/edited edited\n');
    expect(await shell.ok('get configmap edited -o jsonpath={.data.a}')).toBe('new');
    const idle = editor('idle.sh', 's/nothing/else/');
    expect(await shell.ok('edit configmap edited', { editor: idle })).toBe('');
    const bad = editor('bad.sh', 's/replicas: 0/replicas: -1/');
    expect(await shell.fails('edit deploy made', { editor: bad })).toContain(
      'error: deployments.apps "made" is invalid',
    );
  });

  it('patch takes each of its types', async () => {
    await shell.ok('create deployment patched --image=example.com/a --replicas=0');
    for (const [type, patch] of [
      ['strategic', '{"spec":{"template":{"spec":{"containers":[{"name":"b","image":"example.com/b"}]}}}}'],
      ['merge', '{"spec":{"minReadySeconds":3}}'],
      ['json', '[{"op":"add","path":"/spec/revisionHistoryLimit","value":7}]'],
    ]) {
      expect(await shell.ok(`patch deploy patched --type=${type} -p '${patch}'`)).toBe(
        'deployment.apps/patched patched\n',
      );
    }
    const { spec } = await shell.json('deploy patched');
    expect(spec).toMatchObject({ minReadySeconds: 3, revisionHistoryLimit: 7 });
    expect(spec.template.spec.containers.map(({ name }: { name: string }) => name)).toEqual(['b', 'a']);
    // Of an object whose status nobody writes meanwhile.
    expect(await shell.ok(`patch configmap edited --type=merge -p '{"data":{"a":"new"}}'`)).toBe(
      'configmap/edited patched (no change)\n',
    );
    expect(await shell.ok(`patch deploy patched --subresource=scale --type=merge -p '{"spec":{"replicas":1}}'`)).toBe(
      'scale.autoscaling/patched patched\n',
    );
    expect(
      await shell.fails(`patch deploy patched --type=json -p '[{"op":"test","path":"/spec/replicas","value":9}]'`),
    ).toBe('The request is invalid: the server rejected our request due to an error in our request');
  });

  it('replace puts a whole object in place of another, by force if it must', async () => {
    const path = shell.file(
      'replaced.yaml',
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: replaced}, data: {a: b}}',
    );
    expect(await shell.fails(`replace -f ${path}`)).toBe(
      `Error from server (NotFound): error when replacing "${path}": configmaps "replaced" not found`,
    );
    await shell.ok('create configmap replaced --from-literal=c=d');
    const before = await shell.json('configmap replaced');
    expect(await shell.ok(`replace -f ${path}`)).toBe('configmap/replaced replaced\n');
    const after = await shell.json('configmap replaced');
    expect([after.metadata.uid, after.data]).toEqual([before.metadata.uid, { a: 'b' }]);
    expect(await shell.ok(`replace --force -f ${path}`)).toBe(
      'configmap "replaced" deleted from changes namespace\nconfigmap/replaced replaced\n',
    );
    expect((await shell.json('configmap replaced')).metadata.uid).not.toBe(before.metadata.uid);
  });

  it('replace makes what is not there, of kinds that allow it', async () => {
    const file = shell.file(
      'late.yaml',
      '{apiVersion: v1, kind: Service, metadata: {name: late}, spec: {ports: [{port: 80}]}}',
    );
    expect(await shell.ok(`replace -f ${file}`)).toBe('service/late replaced\n');
    expect(await shell.ok('get svc late -o jsonpath={.spec.clusterIP}')).toMatch(/^10\./);
  });

  it('debug puts a container into a pod that runs', async () => {
    await shell.ok('run debugged --image=example.com/a');
    await shell.ok('wait pod/debugged --for=condition=Ready --timeout=60s');
    await shell.ok('debug debugged --image=example.com/tools --profile=general --target=debugged -- sh');
    expect(await shell.ok('get pod debugged -o jsonpath={.spec.ephemeralContainers[0].image}')).toBe(
      'example.com/tools',
    );
  });

  it('shows the warnings of the server', async () => {
    const args = [
      '-n',
      'changes',
      'run',
      'warned',
      '--image=example.com/a',
      '--env=A=1',
      '--env=A=2',
      '--dry-run=server',
    ];
    expect((await shell.cluster.tryKubectl(args)).stderr).toBe(
      'Warning: spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply\n',
    );
  });

  it('label and annotate add, overwrite when told to, and remove', async () => {
    await shell.ok('create configmap marked');
    expect(await shell.ok('label configmap marked a=b')).toBe('configmap/marked labeled\n');
    expect(await shell.fails('label configmap marked a=c')).toBe(
      "error: 'a' already has a value (b), and --overwrite is false",
    );
    expect(await shell.ok('label configmap marked a=c --overwrite')).toBe('configmap/marked labeled\n');
    expect(await shell.ok('label configmap marked --list')).toBe('a=c\n');
    expect(await shell.ok('label configmap marked a-')).toBe('configmap/marked unlabeled\n');
    expect(await shell.ok('annotate configmap marked note=hello')).toBe('configmap/marked annotated\n');
    expect(await shell.ok('annotate configmap marked note-')).toBe('configmap/marked annotated\n');
    const { labels, annotations } = (await shell.json('configmap marked')).metadata;
    expect([labels, annotations]).toEqual([undefined, undefined]);
  });

  it('set changes images, environment, resources, service account, selector and subjects', async () => {
    await shell.ok('create deployment set --image=example.com/a:1 --replicas=0');
    expect(await shell.ok('set image deploy/set a=example.com/a:2')).toBe('deployment.apps/set image updated\n');
    expect(await shell.ok('set env deploy/set A=b')).toBe('deployment.apps/set env updated\n');
    expect(await shell.ok('set env deploy/set --from=configmap/made --prefix=FROM_')).toBe(
      'deployment.apps/set env updated\n',
    );
    expect(await shell.ok('set env deploy/set --list')).toBe(
      '# Deployment set, container a\nA=b\n# FROM_A from configmap made, key a\n',
    );
    expect(await shell.ok('set resources deploy/set --limits=cpu=100m,memory=64Mi')).toBe(
      'deployment.apps/set resource requirements updated\n',
    );
    expect(await shell.ok('set serviceaccount deploy/set made')).toBe('deployment.apps/set serviceaccount updated\n');
    expect(await shell.ok('set selector service/made app=other')).toBe('service/made selector updated\n');
    expect(await shell.ok('set subject rolebinding/made --user=joe')).toBe(
      'rolebinding.rbac.authorization.k8s.io/made subjects updated\n',
    );
    const { template } = (await shell.json('deploy set')).spec;
    expect(template.spec).toMatchObject({
      serviceAccountName: 'made',
      containers: [{ image: 'example.com/a:2', resources: { limits: { cpu: '100m', memory: '64Mi' } } }],
    });
    expect((await shell.json('service made')).spec.selector).toEqual({ app: 'other' });
    const { subjects } = await shell.json('rolebinding made');
    expect(subjects.map(({ name }: { name: string }) => name)).toEqual(['jane', 'joe']);
  });

  it('certificate approves a request, and denies another', async () => {
    const samples = readFileSync(join(import.meta.dirname, 'testdata/every-kind.yaml'), 'utf8').split('---\n');
    const request = samples.find((sample) => sample.includes('kind: CertificateSigningRequest'))!;
    for (const [name, verb, said] of [
      ['wanted', 'approve', 'approved'],
      ['unwanted', 'deny', 'denied'],
    ] as const) {
      await shell.ok(`create -f ${shell.file('request.yaml', request.replace('name: sample', `name: ${name}`))}`);
      expect(await shell.ok(`get csr ${name}`)).toMatch(/kube-apiserver-client +kubernetes-admin +<none> +Pending$/m);
      expect(await shell.ok(`certificate ${verb} ${name}`)).toBe(
        `certificatesigningrequest.certificates.k8s.io/${name} ${said}\n`,
      );
    }
    expect(await shell.ok('get csr wanted')).toMatch(/ Approved(,Issued)?$/m);
    expect(await shell.ok('get csr unwanted')).toMatch(/ Denied$/m);
  });

  it('auth reconcile adds the rules that a role lacks', async () => {
    const path = shell.file(
      'role.yaml',
      '{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: made, namespace: changes}, rules: [{apiGroups: [""], resources: [pods], verbs: [get, watch]}]}',
    );
    const said = await shell.ok(`auth reconcile -f ${path}`);
    expect(said).toContain('role.rbac.authorization.k8s.io/made reconciled');
    expect((await shell.json('role made')).rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['watch'] },
    ]);
  });

  it('says in the words of Kubernetes what is wrong with a file', async () => {
    const wrong = async (from: string, to: string): Promise<string> =>
      shell.fails(`create -f ${shell.file('wrong.yaml', deployment('wrong').replace(from, to))}`);
    expect(await wrong('replicas: 2', 'replica: 2')).toContain('strict decoding error: unknown field "spec.replica"');
    expect(await wrong('replicas: 2', 'replicas: -1')).toBe(
      'The Deployment "wrong" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    expect(await wrong('replicas: 2', 'replicas: two')).toContain('json: cannot unmarshal string into Go struct field');
    expect(await wrong('matchLabels: {app: wrong}', 'matchLabels: {app: other}')).toBe(
      'The Deployment "wrong" is invalid: spec.template.metadata.labels: Invalid value: {"app":"wrong"}: `selector` does not match template `labels`',
    );
    expect(await wrong('apps/v1', 'apps/v9')).toContain(
      'no matches for kind "Deployment" in version "apps/v9"\nensure CRDs are installed first',
    );
  });
});
