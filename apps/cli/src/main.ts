import { Command, Option } from 'commander';
import { configure, parseEndpoints, secure } from './configure.ts';
import { down } from './down.ts';
import { importImages } from './image-import.ts';
import { status } from './status.ts';
import { parseNodes, parsePorts, parseWithout, up } from './up.ts';

const DEFAULT_NAME = 'default';

const program = new Command('periplus')
  .description('A Kubernetes cluster on this machine that keeps its log.')
  .version('0.1.0')
  .showHelpAfterError('(periplus --help shows all commands)')
  .addHelpText(
    'after',
    `
State lives in $PERIPLUS_HOME (default ~/.periplus), a folder per cluster, with its kubeconfig in it.

Examples:
  periplus up                        a cluster with one node that runs real containers
  periplus up --simulate 3           three simulated nodes: needs neither root nor containerd
  periplus up --detach --name two    another cluster beside it, in the background
  periplus up --without node-agent,scheduler,controller-manager
                                     an api-server and its etcd alone, for tests of programs that talk to it
  export KUBECONFIG=~/.periplus/default/kubeconfig && kubectl get nodes`,
  );

const named = (command: Command): Command => command.option('-n, --name <name>', 'which cluster', DEFAULT_NAME);

named(program.command('up'))
  .description('Bring the cluster up and stay with it; Ctrl-C takes it down. Its data stays for the next up.')
  .option('-d, --detach', 'leave it running in the background once it is ready')
  .option(
    '--simulate <nodes>',
    'simulate that many nodes instead of running containers (1 to 5000; new clusters only)',
    parseNodes,
  )
  .option(
    '--without <component...>',
    'leave out controller-manager, scheduler or node-agent, for tests of clients (new clusters only)',
    parseWithout,
  )
  .option('--port <name=number...>', 'choose a port: apiServer, grpc, etcdClient, ... (new clusters only)', parsePorts)
  .option('--json', 'print what happens as JSON, a line an event')
  // What --detach starts in the background.
  .addOption(new Option('--supervise').hideHelp())
  .action(up);

named(program.command('down'))
  .description('Take the cluster down, its containers included.')
  .option('--delete', 'delete its data too: everything in its folder')
  .action(down);

named(program.command('status'))
  .description('Show the processes, nodes and pods of a cluster.')
  .option('--json', 'print it as JSON')
  .action(status);

named(program.command('image').description('Images of the node.').command('import'))
  .argument('<archive...>', 'OCI or Docker archives (.tar)')
  .description('Load images into the node, for machines without a registry.')
  .action(importImages);

named(program.command('apply'))
  .description('Apply objects on the server: with --atomic all of them at one revision, or none.')
  .requiredOption('-f, --filename <file...>', 'YAML or JSON files, - for standard input; 1 to 100 objects')
  .option('--atomic', 'all or nothing')
  .option('--namespace <namespace>', 'of objects that name none', 'default')
  .option('--dry-run', 'say what would happen, and change nothing')
  .option('--force-conflicts', 'take the fields that others manage')
  .option('--field-manager <name>', 'who manages the fields', 'kubectl')
  // gRPC takes a while to load, which the other commands need not wait for.
  .action(async (options) => (await import('./apply.ts')).apply(options));

program
  .command('explain')
  .alias('why-pending')
  .argument('<pod>', 'pod/NAME')
  .description('Tell what the scheduler thinks of each node for a pod: who refuses it there, or what the scores are.')
  .option('-n, --namespace <namespace>', 'of the pod', 'default')
  .option('--name <name>', 'which cluster', DEFAULT_NAME)
  .option('--json', 'print it as JSON')
  .action(async (pod, options) => (await import('./explain.ts')).explainPod(pod, options));

program
  .command('configure')
  .description('Write the files of a cluster whose processes somebody else runs: docker-compose, systemd.')
  .requiredOption('--folder <folder>', 'where they go, and where the processes will find them')
  .requiredOption('--etcd <url...>', "etcd's members", parseEndpoints)
  .requiredOption('--api-server <host>', 'name or address of the api-server, for its clients and its certificate')
  .option('--simulate <nodes>', 'how many nodes its node-agent simulates (1 to 5000)', parseNodes, 1)
  .option('--port <name=number...>', 'choose a port: apiServer, grpc, ...', parsePorts)
  .option(
    '--hand-out <folder>',
    'below it, a folder per program with the files of that one alone, to be seen as --folder',
  )
  .addHelpText(
    'after',
    `
Below the folder come pki/ (certificates, the keys of Secrets), config/ (a file per program) and a kubeconfig.
Certificates and keys that are there stay: to have a certificate with other names, delete the old one first.

  periplus configure --folder /srv/periplus --etcd https://etcd-1:2379 --api-server api.example.com
  etcd ...                                    with pki/etcd/ca.crt, server.crt and server.key, client certificates on
  periplus secure-etcd --folder /srv/periplus --etcd https://etcd-1:2379
  node dist/api-server/main.js --config /srv/periplus/config/api-server.json

docker-compose.yml does just that, and shows all of etcd's settings.`,
  )
  .action(configure);

program
  .command('secure-etcd')
  .description("Create etcd's users and roles, one a component, and turn its access control on. May be repeated.")
  .requiredOption('--folder <folder>', 'what `periplus configure` has written')
  .requiredOption('--etcd <url...>', "etcd's members; waits for them for a minute", parseEndpoints)
  .action(secure);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`periplus: ${(error as Error).message}\n`);
  process.exit(1);
}
