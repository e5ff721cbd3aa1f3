import type { Fields } from "./fields.ts";
import { Message, type MessageInput, type MessageValue } from "./message.ts";
import { parseVersions, type VersionRange, type Versions } from "./versions.ts";

/** What an API is made of; see {@linkcode defineApi}. */
export interface ApiDefinition<RequestFields extends Fields, ResponseFields extends Fields> {
  /** The number that a request's header names it by. */
  readonly key: number;
  /** Kafka's name: `Produce`. */
  readonly name: string;
  /** Versions that are read and written. */
  readonly versions: Versions;
  /** Versions that a broker says it has, where these are others. @default `versions` */
  readonly advertisedVersions?: Versions;
  /** Versions with tagged fields and compact lengths, in request and response. */
  readonly flexibleVersions: Versions;
  readonly request: RequestFields;
  readonly response: ResponseFields;
}

/** One API of Kafka: its request and its response in all their versions. */
export interface Api<RequestFields extends Fields = Fields, ResponseFields extends Fields = Fields> {
  /** The number that a request's header names it by. */
  readonly key: number;
  /** Kafka's name: `Produce`. */
  readonly name: string;
  /** Versions that are read and written. */
  readonly versions: VersionRange;
  /** Versions that a broker says it has. */
  readonly advertisedVersions: VersionRange;
  readonly request: Message<RequestFields>;
  readonly response: Message<ResponseFields>;
}

/** A request as it is read: `RequestOf<typeof produce>`. */
export type RequestOf<Defined extends { request: unknown }> = MessageValue<Defined["request"]>;
/** A response as it is read: `ResponseOf<typeof produce>`. */
export type ResponseOf<Defined extends { response: unknown }> = MessageValue<Defined["response"]>;
/** A request to be written: what has a default may be left out. */
export type RequestInputOf<Defined extends { request: unknown }> = MessageInput<Defined["request"]>;
/** A response to be written: what has a default may be left out. */
export type ResponseInputOf<Defined extends { response: unknown }> = MessageInput<Defined["response"]>;

/** Defines an API: once, for all its versions, for who asks and for who answers. */
export function defineApi<const RequestFields extends Fields, const ResponseFields extends Fields>(
  definition: ApiDefinition<RequestFields, ResponseFields>,
): Api<RequestFields, ResponseFields> {
  const { key, name, versions, flexibleVersions } = definition;
  return {
    key,
    name,
    versions: parseVersions(versions),
    advertisedVersions: parseVersions(definition.advertisedVersions ?? versions),
    request: new Message({ name: `${name}Request`, versions, flexibleVersions, fields: definition.request }),
    response: new Message({
      name: `${name}Response`,
      versions,
      flexibleVersions,
      fields: definition.response,
    }),
  };
}
