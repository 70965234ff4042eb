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
 *     - id: d-bp1aaaaaaaaaaaaaaaaa
 *       size: 40
 *       key: key-hzzaaaaaaaaaaaaaaaaa
 *       content: [{ pattern: deadbeef, length: 4096 }, { offset: 1048576, file: boot.img }]
 *   snapshots:
 *     - { id: s-bp1aaaaaaaaaaaaaaaaa, disk: d-bp1aaaaaaaaaaaaaaaaa }
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

/** Bytes that are on a disk from the beginning: of a pattern, or of a file. */
export interface WorldContent {
  /** Bytes from the disk's beginning. @default 0 */
  readonly offset?: number;
  /** Bytes in hexadecimal, repeated from `offset` on: "deadbeef". */
  readonly pattern?: string;
  /** Bytes: how far the pattern goes. */
  readonly length?: number;
  /** All that is in a file. A relative path begins where the world's file is. */
  readonly file?: string;
}

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
  /** Written when the disk is made, in this order. @default none: it reads as zeros */
  readonly content?: readonly WorldContent[];
  readonly tags?: Readonly<Record<string, string>>;
}

/** A snapshot of a disk of the world, as that is when the snapshot is made. */
export interface WorldSnapshot extends InScope {
  readonly id: string;
  /** Id of the disk, of the same account and region. */
  readonly disk: string;
  readonly name?: string;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** An image whose disks are empty, or of snapshots of the world. */
export interface WorldImage extends InScope {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly family?: string;
  /** @default one system disk of 20 GiB */
  readonly devices?: readonly {
    readonly type: 'system' | 'data';
    /** GiB. */
    readonly size: number;
    /** Id of a snapshot, of the same account and region. @default none: the disk is empty */
    readonly snapshot?: string;
  }[];
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
  readonly snapshots?: readonly WorldSnapshot[];
  readonly images?: readonly WorldImage[];
}
