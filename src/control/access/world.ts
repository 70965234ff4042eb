/**
 * A world: what a plane is to hold from the beginning, so that tests start from known ids.
 *
 *   accounts:
 *     - id: "1000000000000001"
 *       users: [{ name: alice, policies: [AliyunECSFullAccess] }]
 *   regions:
 *     - { region: cn-hangzhou, defaultEncryption: true, defaultKey: key-hzzaaaaaaaaaaaaaaaaa }
 *   keys:
 *     - { id: key-hzzaaaaaaaaaaaaaaaaa, description: payroll }
 *   disks:
 *     - { id: d-bp1aaaaaaaaaaaaaaaaa, size: 40, key: key-hzzaaaaaaaaaaaaaaaaa }
 *   images:
 *     - { id: m-bp1aaaaaaaaaaaaaaaaa, devices: [{ type: system, size: 40 }], public: true }
 *
 * Wherever account or region is left out it is the one the plane opens with. seed-world.ts says
 * what is done with it.
 */

export interface WorldAccount {
  readonly id: string;
  /** @default the id */
  readonly name?: string;
  readonly users?: readonly {
    readonly name: string;
    /** Names of the cloud's policies. @default none: the user may do nothing */
    readonly policies?: readonly string[];
  }[];
  /** Service roles. @default all there are */
  readonly roles?: readonly string[];
  /** @default true */
  readonly defaultEncryptionGranted?: boolean;
}

interface InScope {
  readonly account?: string;
  readonly region?: string;
}

/** Settings of an account in a region. */
export interface WorldRegion extends InScope {
  /** @default false */
  readonly defaultEncryption?: boolean;
  /** Id of a key. @default the service key */
  readonly defaultKey?: string;
  /** Whether KMS is activated. @default Enabled */
  readonly kms?: 'Enabled' | 'NotEnabled' | 'Index' | 'Suspended';
}

export interface WorldKey extends InScope {
  readonly id: string;
  readonly description?: string;
  /** @default Enabled */
  readonly state?: 'Enabled' | 'Disabled';
}

/** An empty disk. */
export interface WorldDisk extends InScope {
  readonly id: string;
  /** GiB. */
  readonly size: number;
  /** @default the first of its region */
  readonly zone?: string;
  readonly name?: string;
  readonly description?: string;
  /** @default cloud_essd */
  readonly category?: string;
  /** @default PL1 for cloud_essd */
  readonly performanceLevel?: string;
  /** @default whether a key is given */
  readonly encrypted?: boolean;
  /** Id of a key. @default the service key, if it is encrypted */
  readonly key?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** An image whose disks are empty. */
export interface WorldImage extends InScope {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly family?: string;
  /** @default one system disk of 20 GiB */
  readonly devices?: readonly { readonly type: 'system' | 'data'; readonly size: number }[];
  /** @default false */
  readonly public?: boolean;
  /** Ids of accounts. */
  readonly sharedWith?: readonly string[];
  /** @default linux */
  readonly osType?: 'linux' | 'windows';
  readonly platform?: string;
  /** @default x86_64 */
  readonly architecture?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface World {
  readonly accounts?: readonly WorldAccount[];
  readonly regions?: readonly WorldRegion[];
  readonly keys?: readonly WorldKey[];
  readonly disks?: readonly WorldDisk[];
  readonly images?: readonly WorldImage[];
}
