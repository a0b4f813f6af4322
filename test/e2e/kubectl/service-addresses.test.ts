import { afterAll, beforeAll, expect, it } from 'vitest';
import { Shell } from './shell.ts';

let shell: Shell;
beforeAll(async () => {
  shell = await Shell.start('addresses');
});
afterAll(() => shell?.cluster[Symbol.asyncDispose]());

const address = async (service: string): Promise<string> =>
  shell.ok(`get service ${service} -o jsonpath={.spec.clusterIP}`);
const range = (name: string, cidr: string): string =>
  shell.file(
    `${name}.yaml`,
    `apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: ${name}}\nspec: {cidrs: [${cidr}]}\n`,
  );

it('shows the address of each service, and the ranges', async () => {
  await shell.ok('create service clusterip web --tcp=80');
  const web = await address('web');
  const rows = (await shell.ok('get ipaddresses')).trimEnd().split('\n');
  expect(rows[0]).toMatch(/^NAME +PARENTREF$/);
  expect(rows).toContainEqual(expect.stringMatching(new RegExp(`^${web} +services/addresses/web$`)));
  expect(rows).toContainEqual(expect.stringMatching(/^10\.\S+\.1 +services\/default\/kubernetes$/));
  expect(await shell.ok('get ip -l ipaddress.kubernetes.io/managed-by=ipallocator.k8s.io -o name')).toContain(
    `ipaddress.networking.k8s.io/${web}\n`,
  );
  await shell.ok(
    'wait servicecidr/kubernetes --for=jsonpath={.metadata.finalizers[0]}=networking.k8s.io/service-cidr-finalizer --timeout=30s',
  );
  await shell.ok('wait servicecidr/kubernetes --for=condition=Ready --timeout=30s');
  expect(await shell.ok('get servicecidrs')).toMatch(/^NAME +CIDRS +AGE\nkubernetes +10\.\d+\.\d+\.0\/\d+ +\d+\w+\n$/);
  expect(await shell.ok('describe servicecidr kubernetes')).toContain('Kubernetes default Service CIDR is ready');
  await shell.ok('delete service web');
  expect(await shell.fails(`get ipaddress ${web}`)).toBe(
    `Error from server (NotFound): ipaddresses.networking.k8s.io "${web}" not found`,
  );
});

it('makes an IPAddress anew that somebody deletes', async () => {
  await shell.ok('create service clusterip kept --tcp=80');
  const kept = await address('kept');
  const uid = await shell.ok(`get ipaddress ${kept} -o jsonpath={.metadata.uid}`);
  await shell.ok(`delete ipaddress ${kept}`);
  await shell.ok(`wait ipaddress/${kept} --for=create --timeout=30s`);
  expect(await shell.ok(`get ipaddress ${kept} -o jsonpath={.metadata.uid}`)).not.toBe(uid);
});

it('takes addresses from a further range, and holds it until they are given back', async () => {
  const web = 'create service clusterip far --tcp=80 --clusterip=10.250.0.9';
  expect(await shell.fails(web)).toBe(
    'error: failed to create ClusterIP service: Service "far" is invalid: spec.clusterIPs: Invalid value: ["10.250.0.9"]: failed to allocate IP 10.250.0.9: the provided network does not match the current range',
  );
  await shell.ok(`apply -f ${range('more', '10.250.0.0/28')}`);
  await shell.ok('wait servicecidr/more --for=condition=Ready --timeout=30s');
  await shell.ok(web);
  await shell.ok('delete servicecidr more --wait=false');
  await shell.ok('wait servicecidr/more --for=condition=Ready=False --timeout=30s');
  expect(await shell.ok('get servicecidr more -o jsonpath={.status.conditions[0].message}')).toBe(
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
  );
  await shell.ok('delete service far');
  await shell.ok('wait servicecidr/more --for=delete --timeout=60s');
});
