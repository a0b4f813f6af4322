import { requestCertificate } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './shell.ts';

const csr = (name: string, request: string, usages: string): string => `
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: ${name}}
spec:
  request: ${Buffer.from(request).toString('base64')}
  signerName: kubernetes.io/kube-apiserver-client
  usages: [${usages}]
`;

describe('kubectl gets people their certificates', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await Shell.start('people');
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

  it('with which they log in', async () => {
    const { request, key } = requestCertificate('/O=devs/CN=ann');
    await shell.ok(`create -f ${shell.file('ann.yaml', csr('ann', request, 'client auth'))}`);
    await shell.ok('certificate approve ann');
    await shell.ok('wait csr/ann --for=jsonpath={.status.certificate} --timeout=30s');
    expect(await shell.ok('get csr ann')).toMatch(/ Approved,Issued$/m);
    const certificate = await shell.ok('get csr ann -o jsonpath={.status.certificate}');
    const [cert, keyFile] = [
      shell.file('ann.crt', Buffer.from(certificate, 'base64').toString()),
      shell.file('ann.key', key),
    ];
    await shell.ok(`config set-credentials ann --client-certificate=${cert} --client-key=${keyFile}`);
    const cluster = await shell.ok('config view -o jsonpath={.clusters[0].name}');
    await shell.ok(`config set-context ann --cluster=${cluster} --user=ann`);
    expect(await shell.ok('--context=ann auth whoami')).toMatch(/Username +ann\nGroups +\[devs system:authenticated\]/);
    expect(await shell.fails('--context=ann get pods')).toContain('User "ann" cannot list resource "pods"');
    await shell.ok('create rolebinding devs --clusterrole=view --group=devs');
    expect(await shell.ok('--context=ann get pods')).toBe('');
  });

  it('or tells them what is wrong with what they ask for', async () => {
    const { request } = requestCertificate('/CN=bob');
    await shell.ok(`create -f ${shell.file('bob.yaml', csr('bob', request, 'server auth'))}`);
    await shell.ok('certificate approve bob');
    await shell.ok('wait csr/bob --for=condition=Failed --timeout=30s');
    expect(await shell.ok('get csr bob')).toMatch(/ Approved,Failed$/m);
    const [, failed] = (await shell.json('csr bob')).status.conditions;
    expect(failed).toMatchObject({
      reason: 'SignerValidationFailure',
      message: 'invalid usage for client certificate: server auth',
    });
  });

  it('and nodes theirs, with a bootstrap token and unasked', async () => {
    const CSRS = 'system:certificates.k8s.io:certificatesigningrequests';
    await shell.ok(
      'create clusterrolebinding join --clusterrole=system:node-bootstrapper --group=system:bootstrappers',
    );
    await shell.ok(`create clusterrolebinding joined --clusterrole=${CSRS}:nodeclient --group=system:bootstrappers`);
    const literals = {
      ...{ 'token-id': 'abcdef', 'token-secret': '0123456789abcdef' },
      ...{ 'usage-bootstrap-authentication': 'true', 'usage-bootstrap-signing': 'true' },
    };
    const from = Object.entries(literals).map(([key, value]) => `--from-literal=${key}=${value}`);
    const secret = `create secret generic bootstrap-token-abcdef --type=bootstrap.kubernetes.io/token ${from.join(' ')}`;
    await shell.ok(`${secret} -n kube-system`);

    await shell.ok('config set-credentials fresh --token=abcdef.0123456789abcdef');
    const cluster = await shell.ok('config view -o jsonpath={.clusters[0].name}');
    await shell.ok(`config set-context fresh --cluster=${cluster} --user=fresh`);
    const { request } = requestCertificate('/O=system:nodes/CN=system:node:fresh');
    const wanted = csr('fresh', request, 'digital signature, client auth').replace('-client\n', '-client-kubelet\n');
    await shell.ok(`--context=fresh create -f ${shell.file('fresh.yaml', wanted)}`);
    await shell.ok('--context=fresh wait csr/fresh --for=jsonpath={.status.certificate} --timeout=30s');
    expect(await shell.ok('get csr fresh')).toMatch(/ system:bootstrap:abcdef +<none> +Approved,Issued$/m);

    await shell.ok('-n kube-public create configmap cluster-info --from-literal=kubeconfig=a');
    await shell.ok('-n kube-public wait cm/cluster-info --for=jsonpath={.data.jws-kubeconfig-abcdef} --timeout=30s');
    await shell.ok(
      `-n kube-system patch secret bootstrap-token-abcdef -p '{"stringData":{"expiration":"2026-01-01T00:00:00Z"}}'`,
    );
    await shell.ok('-n kube-system wait secret/bootstrap-token-abcdef --for=delete --timeout=30s');
  });
});
