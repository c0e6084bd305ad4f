import { Chart, type Size } from 'cdk8s';
import { Construct } from 'constructs';
import { emit, type ObjectMetadata, warn } from './internal/emit';
import { refuse } from './internal/errors';
import { resourceName } from './internal/names';
import { networkPolicySpec } from './kube/network-policy';
import { type Container, containerSecurityContext, podTemplate } from './kube/pod-template';
import type { SecretReference } from './values/secret-reference';
import { TokenStore } from './values/token-store';

/** Image of the store. */
export const VALKEY_IMAGE = 'docker.io/valkey/valkey:8.1.3-alpine';
/** `valkey` in that image. */
const VALKEY_USER_ID = 999;
const PORT = 6379;
const DATA_FOLDER = '/data';
/** Beyond it writes are refused: a counter that is thrown out would be a budget that begins anew. The rest is for connections and rewrites. */
const MAX_MEMORY = '192mb';

/** Properties of {@link SmallValkey}. */
export interface SmallValkeyProps {
  /** Name of its objects. @default - made from the construct's path */
  readonly name?: string;
  /** Its password, in the namespace of the chart, where the pickers must be too. @default - none: every pod of the namespace may write */
  readonly password?: SecretReference;
  /** Size of a volume that outlives the pod. 64 MiB or more. @default - none: a pod that moves to another node begins anew */
  readonly storage?: Size;
  /** Class of that volume. Needs `storage`. @default - the cluster's default */
  readonly storageClassName?: string;
  /** Image with `valkey-server`. @default 'docker.io/valkey/valkey:8.1.3-alpine' */
  readonly image?: string;
}

/**
 * One Valkey for the budgets of several pickers, for a start: one process, no replica, no TLS, no backup. While it restarts or its node is
 * away, limits do what their `onStoreFailure` says. Take a managed or replicated store for anything that must not wait for that.
 *
 * @throws AIG436 for a name, AIG494 for storage that cannot be used
 */
export class SmallValkey extends Construct {
  /** For `tokenStore` of a gateway. */
  public readonly tokenStore: TokenStore;
  /** Labels of its pod. */
  public readonly podLabels: { readonly [key: string]: string };
  private readonly metadata: ObjectMetadata;

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: SmallValkeyProps = {},
  ) {
    super(scope, id);
    this.checkStorage();
    const name = resourceName(this, { ...(props.name === undefined ? {} : { explicit: props.name }), maxLength: 52 });
    const { namespace } = Chart.of(this);
    this.podLabels = { 'app.kubernetes.io/name': 'valkey', 'app.kubernetes.io/instance': name };
    this.metadata = { name, labels: this.podLabels };
    this.tokenStore = TokenStore.redis({
      host: namespace === undefined ? name : `${name}.${namespace}.svc`,
      ...(props.password === undefined ? {} : { password: props.password }),
    });
    this.emitServer();
    this.emitAccess();
    if (props.password === undefined) warn(this, 'the store has no password: every pod of its namespace may change every budget');
  }

  private checkStorage(): void {
    const { storage, storageClassName } = this.props;
    const mebibytes = storage?.toMebibytes();
    if (mebibytes === undefined ? storageClassName === undefined : mebibytes >= 64) return;
    refuse(this, {
      code: 'AIG494',
      what:
        mebibytes === undefined ? 'there is no volume that could have a class' : 'the volume is too small for the log of changes',
      value: mebibytes === undefined ? storageClassName : `${mebibytes} MiB`,
      allowed: 'storage of 64 MiB or more',
      fix: 'set storage, for example Size.gibibytes(1)',
    });
  }

  private emitServer(): void {
    const { storage, storageClassName } = this.props;
    const volume = { name: 'data', emptyDir: { sizeLimit: '1Gi' } };
    const claim = {
      metadata: { name: 'data' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName,
        resources: { requests: { storage: `${storage?.toMebibytes()}Mi` } },
      },
    };
    emit(this, 'StatefulSet', {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: this.metadata,
      body: {
        spec: {
          replicas: 1,
          serviceName: this.metadata.name,
          selector: { matchLabels: this.podLabels },
          template: podTemplate({
            labels: this.podLabels,
            annotations: {},
            containers: [this.container()],
            initContainers: [],
            volumes: storage === undefined ? [volume] : [],
            rootless: true,
            userId: VALKEY_USER_ID,
            terminationGracePeriodSeconds: 30,
            nodeSelector: {},
            tolerations: [],
            topologySpreadConstraints: [],
            priorityClassName: undefined,
            serviceAccountName: undefined,
            imagePullSecrets: [],
          }),
          volumeClaimTemplates: storage === undefined ? undefined : [claim],
        },
      },
      why: 'counts the budgets of several pickers, for a start: one process',
    });
  }

  private container(): Container {
    const { password, image = VALKEY_IMAGE } = this.props;
    const asked = { tcpSocket: { port: 'valkey' }, periodSeconds: 5, timeoutSeconds: 2 };
    const secret = password === undefined ? undefined : { name: password.secretName, key: password.key };
    return {
      name: 'valkey',
      image,
      command: ['valkey-server'],
      args: serverArguments(DATA_FOLDER, secret === undefined ? undefined : '$(VALKEY_PASSWORD)'),
      ...(secret === undefined ? {} : { env: [{ name: 'VALKEY_PASSWORD', valueFrom: { secretKeyRef: secret } }] }),
      ports: [{ name: 'valkey', containerPort: PORT }],
      resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '384Mi' } },
      // it reads its log of changes first
      startupProbe: { ...asked, failureThreshold: 60 },
      readinessProbe: { ...asked, failureThreshold: 2 },
      livenessProbe: { ...asked, failureThreshold: 6 },
      securityContext: { ...containerSecurityContext(), readOnlyRootFilesystem: true },
      volumeMounts: [{ name: 'data', mountPath: DATA_FOLDER }],
    };
  }

  private emitAccess(): void {
    emit(this, 'Service', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: this.metadata,
      body: {
        spec: { selector: this.podLabels, ports: [{ name: 'tcp-valkey', port: PORT, targetPort: 'valkey', protocol: 'TCP' }] },
      },
      why: 'where pickers find the store',
    });
    emit(this, 'NetworkPolicy', {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: this.metadata,
      body: { spec: networkPolicySpec({ podLabels: this.podLabels, peers: [{ podLabels: {} }], ports: [PORT], egress: false }) },
      why: 'lets only pods of the namespace connect to the store',
    });
  }
}

/**
 * A log of changes, written every second: a restart forgets a second at most. A `yes` of its own would be a boolean to readers of YAML 1.1,
 * so it stays behind the name of its setting.
 */
export function serverArguments(folder: string, password: string | undefined): string[] {
  return [
    ...['--dir', folder, '--save', '', '--appendonly yes', '--appendfsync', 'everysec'],
    ...['--maxmemory', MAX_MEMORY, '--maxmemory-policy', 'noeviction'],
    ...(password === undefined ? ['--protected-mode no'] : ['--requirepass', password]),
  ];
}
