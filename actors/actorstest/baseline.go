package actorstest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	_ "google.golang.org/protobuf/types/known/timestamppb" // so that its file is known
)

// BaselineService is the gRPC service of the baseline.
const BaselineService = "banyandb.fodc.v1.FODCService"

// Fields is a message of the baseline in the form of protobuf's JSON: names in
// lowerCamelCase, int64 as strings, times in RFC 3339.
type Fields = map[string]any

// BaselineStream returns the description of a stream of the service; it fits all of them.
func BaselineStream() *grpc.StreamDesc {
	return &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
}

type baselineField struct {
	name   string
	number int32
	kind   string
}

// NewBaseline returns an empty message, to be received into.
func NewBaseline(message string) *dynamicpb.Message {
	return dynamicpb.NewMessage(baselineFile().Messages().ByName(protoreflect.Name(message)))
}

// Baseline returns a message with the fields. It panics on a field that does not exist.
func Baseline(message string, f Fields) *dynamicpb.Message {
	if f == nil {
		f = Fields{}
	}
	text, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	m := NewBaseline(message)
	if err := protojson.Unmarshal(text, m); err != nil {
		panic(fmt.Sprintf("%s: %v", message, err))
	}
	return m
}

// BaselineFields returns the fields of a message that a baseline peer has received.
func BaselineFields(m proto.Message) Fields {
	text, err := protojson.Marshal(m)
	if err != nil {
		panic(err)
	}
	var f Fields
	if err := json.Unmarshal(text, &f); err != nil {
		panic(err)
	}
	return f
}

var baselineFile = sync.OnceValue(func() protoreflect.FileDescriptor {
	file := &descriptorpb.FileDescriptorProto{Name: proto.String("baseline.proto"), Package: proto.String("baseline"),
		Syntax: proto.String("proto3"), Dependency: []string{"google/protobuf/timestamp.proto"}}
	for name, fields := range baselineTable {
		m := &descriptorpb.DescriptorProto{Name: proto.String(name)}
		for _, f := range fields {
			m.Field = append(m.Field, f.describe(m))
		}
		file.MessageType = append(file.MessageType, m)
	}
	made, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	return made
})

// describe returns the field's descriptor. For a map it adds the entry type to the message.
func (f baselineField) describe(m *descriptorpb.DescriptorProto) *descriptorpb.FieldDescriptorProto {
	d := &descriptorpb.FieldDescriptorProto{Name: proto.String(f.name), Number: proto.Int32(f.number),
		Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
	kind, repeated := strings.CutPrefix(f.kind, "repeated ")
	value, isMap := strings.CutPrefix(kind, "map ")
	if repeated || isMap {
		d.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	}
	message := func(name string) {
		d.Type, d.TypeName = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), proto.String(name)
	}
	switch scalar, ok := baselineScalars[kind]; {
	case ok:
		d.Type = scalar.Enum()
	case kind == "Timestamp":
		message(".google.protobuf.Timestamp")
	case isMap:
		entry := &descriptorpb.DescriptorProto{Name: proto.String(entryName(f.name)),
			Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)}}
		for _, e := range []baselineField{{"key", 1, "string"}, {"value", 2, value}} {
			entry.Field = append(entry.Field, e.describe(entry))
		}
		m.NestedType = append(m.NestedType, entry)
		message(".baseline." + m.GetName() + "." + entry.GetName())
	default:
		message(".baseline." + kind)
	}
	return d
}

var baselineScalars = map[string]descriptorpb.FieldDescriptorProto_Type{
	"string": descriptorpb.FieldDescriptorProto_TYPE_STRING,
	"bytes":  descriptorpb.FieldDescriptorProto_TYPE_BYTES,
	"bool":   descriptorpb.FieldDescriptorProto_TYPE_BOOL,
	"int32":  descriptorpb.FieldDescriptorProto_TYPE_INT32,
	"int64":  descriptorpb.FieldDescriptorProto_TYPE_INT64,
	"uint32": descriptorpb.FieldDescriptorProto_TYPE_UINT32,
	"uint64": descriptorpb.FieldDescriptorProto_TYPE_UINT64,
	"double": descriptorpb.FieldDescriptorProto_TYPE_DOUBLE,
}

// entryName returns the name that protobuf gives to the entries of a map.
func entryName(field string) string {
	name := ""
	for word := range strings.SplitSeq(field, "_") {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name + "Entry"
}
