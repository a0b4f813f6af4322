import { type ConfigMap, configMap, namespace, serviceAccount } from '@periplus/api';
import { expect, it } from 'vitest';
import { serviceAccountController } from '../service-account/service-account-controller.ts';
import { Simulation } from '../simulation.ts';
import { rootCaController } from './root-ca-controller.ts';

const PEM = '-----BEGIN CERTIFICATE-----\n';
const start = () => {
  const sim = new Simulation(serviceAccountController, rootCaController(PEM));
  sim.cluster.put(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'd' }, spec: {} });
  sim.settle();
  return sim;
};
const bundle = (sim: Simulation) => sim.cluster.view().get(configMap, 'd', 'kube-root-ca.crt');

it('gives every namespace a default service account and the cluster authority', () => {
  const sim = start();
  expect(sim.cluster.view().get(serviceAccount, 'd', 'default')).toBeDefined();
  expect(bundle(sim)?.data).toEqual({ 'ca.crt': PEM });
});

it('puts them back when they are deleted or changed', () => {
  const sim = start();
  sim.cluster.remove(serviceAccount, 'd', 'default');
  sim.cluster.put(configMap, { ...bundle(sim), data: { 'ca.crt': 'x', more: 'y' } } as ConfigMap);
  sim.settle();
  expect(sim.cluster.view().get(serviceAccount, 'd', 'default')).toBeDefined();
  expect(bundle(sim)?.data).toEqual({ 'ca.crt': PEM });
});

it('leaves a namespace alone that is being deleted', () => {
  const sim = start();
  sim.cluster.remove(serviceAccount, 'd', 'default');
  const metadata = { name: 'd', deletionTimestamp: '2026-01-01T00:00:00Z' };
  sim.cluster.put(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata, spec: {} });
  sim.settle();
  expect(sim.cluster.view().get(serviceAccount, 'd', 'default')).toBeUndefined();
});
