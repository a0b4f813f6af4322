import type { ClusterCache } from '@periplus/cache';
import { ConfigError, type Logger, type Metrics } from '@periplus/component';
import {
  type Authenticator,
  bootstrap,
  createAuthorizer,
  createOperations,
  Fairness,
  LeaderLeases,
  LegacyTokenUses,
  type Operations,
  ServiceAccountTokens,
  ServiceNetwork,
} from '@periplus/operations';
import { NodeStats } from '@periplus/rest';
import type { Store } from '@periplus/store';
import { componentsOf } from './components.ts';
import type { Config } from './config.ts';
import { FlowMetrics } from './flow-metrics.ts';
import { openLogins } from './logins.ts';

/** The api-server below any wire format. */
export interface Core {
  operations: Operations;
  authenticator: Authenticator;
  tokens: ServiceAccountTokens;
  fairness: Fairness;
  close(): Promise<void>;
}

/** Puts the core together and makes what every cluster has. */
export async function startCore(
  config: Config,
  cache: ClusterCache,
  store: Store,
  log: Logger,
  metrics: Metrics,
): Promise<Core> {
  const now = Date.now;
  const network = networkOf(config);
  const tokens = tokensOf(config);
  const authorizer = createAuthorizer({ cache });
  const uses = new LegacyTokenUses(now);
  const logins = openLogins(config, cache, tokens, log, now, uses);
  const { rootCa } = config.serviceAccounts;
  const { authenticator } = logins;
  const components = componentsOf(config);
  const nodeUsage = new NodeStats({ nodeCredentials: config.nodeClient, log, now });
  const operations = createOperations({
    ...{ cache, store, authorizer, authenticator, tokens, rootCa, network, nodeUsage },
    components: components.all,
  });
  uses.writeTo(operations);
  const advertised = { address: config.advertiseAddress, port: config.port };
  await bootstrap({ operations, network, advertised, clientAuthority: config.tls.clientAuthority, now });
  const leaderLeases = new LeaderLeases({ ...components.elections, operations, log, now });
  const fairness = new Fairness({ cache });
  fairness.observe(new FlowMetrics(fairness, metrics));
  return {
    operations,
    authenticator,
    tokens,
    fairness,
    async close() {
      authorizer.close();
      logins.close();
      fairness.close();
      nodeUsage.close();
      await leaderLeases.close();
      await components.close();
    },
  };
}

function networkOf({ serviceCidr, nodePortRange }: Config): ServiceNetwork {
  try {
    return new ServiceNetwork({ serviceCidr, nodePortRange });
  } catch (error) {
    throw new ConfigError('serviceCidr, nodePortRange', (error as Error).message);
  }
}

function tokensOf({ serviceAccounts }: Config): ServiceAccountTokens {
  try {
    return new ServiceAccountTokens(serviceAccounts);
  } catch (error) {
    throw new ConfigError('serviceAccounts', (error as Error).message);
  }
}
