import protobuf from 'protobufjs';

/**
 * The part of ONNX's format that Perennial writes and reads. Names, numbers and types are those of the official `onnx/onnx.proto`
 * (https://github.com/onnx/onnx, IR version 8); a field that is not listed is skipped when reading, and kept by `decodeAll`.
 */
const { root } = protobuf.parse(
  `
  syntax = "proto2";
  package onnx;

  message AttributeProto {
    optional string name = 1;
    optional float f = 2;
    optional int64 i = 3;
    optional bytes s = 4;
    optional TensorProto t = 5;
    optional GraphProto g = 6;
    repeated float floats = 7;
    repeated int64 ints = 8;
    repeated bytes strings = 9;
    repeated TensorProto tensors = 10;
    repeated GraphProto graphs = 11;
    optional int32 type = 20;
    optional string ref_attr_name = 21;
  }
  message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
  message NodeProto {
    repeated string input = 1;
    repeated string output = 2;
    optional string name = 3;
    optional string op_type = 4;
    repeated AttributeProto attribute = 5;
    optional string domain = 7;
  }
  message ModelProto {
    optional int64 ir_version = 1;
    optional string producer_name = 2;
    optional string producer_version = 3;
    optional GraphProto graph = 7;
    repeated OperatorSetIdProto opset_import = 8;
    repeated StringStringEntryProto metadata_props = 14;
    repeated FunctionProto functions = 25;
  }
  message StringStringEntryProto { optional string key = 1; optional string value = 2; }
  message GraphProto {
    repeated NodeProto node = 1;
    optional string name = 2;
    repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11;
    repeated ValueInfoProto output = 12;
    repeated ValueInfoProto value_info = 13;
    repeated TensorAnnotation quantization_annotation = 14;
    repeated SparseTensorProto sparse_initializer = 15;
  }
  message TensorAnnotation { optional string tensor_name = 1; repeated StringStringEntryProto quant_parameter_tensor_names = 2; }
  message TensorProto {
    repeated int64 dims = 1;
    optional int32 data_type = 2;
    repeated float float_data = 4 [packed = true];
    repeated int32 int32_data = 5 [packed = true];
    repeated bytes string_data = 6;
    repeated int64 int64_data = 7 [packed = true];
    optional string name = 8;
    optional bytes raw_data = 9;
    repeated double double_data = 10 [packed = true];
    repeated StringStringEntryProto external_data = 13;
    optional int32 data_location = 14;
  }
  message SparseTensorProto { optional TensorProto values = 1; optional TensorProto indices = 2; repeated int64 dims = 3; }
  message TypeProto {
    message Tensor { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
    optional Tensor tensor_type = 1;
  }
  message TensorShapeProto {
    message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
    repeated Dimension dim = 1;
  }
  message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
  message FunctionProto { optional string name = 1; repeated NodeProto node = 7; }
  `,
  { keepCase: true },
);

/** Encodes and decodes `onnx.ModelProto`. */
export const ModelProto = root.lookupType('onnx.ModelProto');

/** A model that can be changed and encoded again without losing what is not listed above: such fields stay as the bytes they were. */
export function decodeAll(bytes: Uint8Array): Writable<ModelMessage> {
  const reader = protobuf.Reader.create(bytes);
  reader.discardUnknown = false;
  return ModelProto.decode(reader) as Writable<ModelMessage>;
}

export type Writable<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer Element)[]
    ? Writable<Element>[]
    : T extends object
      ? { -readonly [Key in keyof T]: Writable<T[Key]> }
      : T;

/** `TensorProto.DataType`: the element types that Perennial uses. */
export const elementTypes = { float32: 1, int32: 6, int64: 7, string: 8, bool: 9, float64: 11 } as const;

/** `AttributeProto.AttributeType`. */
export const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const;

/** Version of the format that written models declare, and the newest that is read. */
export const irVersion = { written: 8, newest: 13 } as const;

/** Operator sets by domain: the version that written models import, and the newest that is read (those of ONNX Runtime 1.30). */
export const opsets: Readonly<Record<string, { readonly written: number; readonly newest: number }>> = {
  '': { written: 18, newest: 26 },
  'ai.onnx.ml': { written: 3, newest: 5 },
  'com.microsoft': { written: 1, newest: 1 },
};

/** `TensorProto` as protobufjs takes and gives it. */
export interface TensorMessage {
  readonly name?: string;
  readonly dims?: readonly number[];
  readonly data_type?: number;
  readonly raw_data?: Uint8Array;
  readonly string_data?: readonly Uint8Array[];
  readonly float_data?: readonly number[];
  readonly int32_data?: readonly number[];
  readonly int64_data?: readonly number[];
  readonly double_data?: readonly number[];
  readonly external_data?: readonly { readonly key?: string; readonly value?: string }[];
  readonly data_location?: number;
}

export interface ValueInfoMessage {
  readonly name?: string;
  readonly type?: {
    readonly tensor_type?: { readonly elem_type?: number; readonly shape?: { readonly dim?: readonly { readonly dim_value?: number }[] } };
  };
}

export interface AttributeMessage {
  readonly name?: string;
  readonly type?: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorMessage;
  readonly g?: GraphMessage;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
  readonly tensors?: readonly TensorMessage[];
  readonly graphs?: readonly GraphMessage[];
}

export interface NodeMessage {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly name?: string;
  readonly op_type?: string;
  readonly domain?: string;
  readonly attribute?: readonly AttributeMessage[];
}

export interface GraphMessage {
  readonly name?: string;
  readonly node?: readonly NodeMessage[];
  readonly initializer?: readonly TensorMessage[];
  readonly sparse_initializer?: readonly { readonly values?: TensorMessage; readonly indices?: TensorMessage }[];
  readonly input?: readonly ValueInfoMessage[];
  readonly output?: readonly ValueInfoMessage[];
  readonly value_info?: readonly ValueInfoMessage[];
  readonly quantization_annotation?: readonly {
    readonly tensor_name?: string;
    readonly quant_parameter_tensor_names?: readonly { readonly key?: string; readonly value?: string }[];
  }[];
}

export interface ModelMessage {
  readonly ir_version?: number;
  readonly producer_name?: string;
  readonly producer_version?: string;
  readonly graph?: GraphMessage;
  readonly opset_import?: readonly { readonly domain?: string; readonly version?: number }[];
  readonly metadata_props?: readonly { readonly key?: string; readonly value?: string }[];
  readonly functions?: readonly { readonly name?: string; readonly node?: readonly NodeMessage[] }[];
}
