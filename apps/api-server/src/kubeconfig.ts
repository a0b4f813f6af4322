import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '@periplus/component';
import type { WebhookConfig } from '@periplus/operations';
import { parse } from 'yaml';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const textOf = (fields: Fields, name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');

/** The entry of a kubeconfig's list that has this name. */
function named(config: Fields, list: string, name: string, member: string): Fields {
  const entries: unknown = config[list];
  const found = Array.isArray(entries) ? entries.find((entry) => isFields(entry) && entry.name === name) : undefined;
  const value = isFields(found) ? found[member] : undefined;
  if (!isFields(value)) throw new Error(`it has no ${member} ${JSON.stringify(name)}`);
  return value;
}

/** Written into the kubeconfig, or in a file whose path is relative to it. */
function pemIn(fields: Fields, name: string, folder: string): Buffer | undefined {
  const data = textOf(fields, `${name}-data`);
  if (data) return Buffer.from(data, 'base64');
  const path = textOf(fields, name);
  return path ? readFileSync(resolve(folder, path)) : undefined;
}

/**
 * The server of a kubeconfig's current context, and how to get in: as much of it as webhooks need. Throws ConfigError,
 * which names `field`. https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
export function readKubeconfig(path: string, field: string): Omit<WebhookConfig, 'cacheMs'> {
  try {
    const config: unknown = parse(readFileSync(path, 'utf8'));
    if (!isFields(config)) throw new Error('it is no kubeconfig');
    const context = named(config, 'contexts', textOf(config, 'current-context'), 'context');
    const cluster = named(config, 'clusters', textOf(context, 'cluster'), 'cluster');
    const user = textOf(context, 'user') ? named(config, 'users', textOf(context, 'user'), 'user') : {};
    const url = textOf(cluster, 'server');
    if (new URL(url).protocol !== 'https:') throw new Error('its server must be an https URL');
    const folder = dirname(path);
    const ca = pemIn(cluster, 'certificate-authority', folder);
    const cert = pemIn(user, 'client-certificate', folder);
    const key = pemIn(user, 'client-key', folder);
    const servername = textOf(cluster, 'tls-server-name');
    const trust = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(servername && { servername }) };
    return { url, trust, bearerToken: textOf(user, 'token') || null };
  } catch (error) {
    throw new ConfigError(field, `cannot use ${path}: ${(error as Error).message}`);
  }
}
