package actorstest

import (
	"encoding/json"
	"fmt"
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

// baselineTable is the contract: the fields of each message as name, number and type. It
// shares nothing with the .proto of this module, so peers built from it do not know this
// module's extensions.
var baselineTable = map[string][]baselineField{
	"RegisterAgentRequest": {{"node_role", 1, "string"}, {"labels", 2, "map"}, {"primary_address", 3, "Address"},
		{"pod_name", 4, "string"}, {"container_names", 5, "repeated string"}},
	"Address": {{"ip", 1, "string"}, {"port", 2, "int32"}},
	"RegisterAgentResponse": {{"success", 1, "bool"}, {"message", 2, "string"}, {"heartbeat_interval_seconds", 3, "int64"},
		{"agent_id", 4, "string"}},
	"StreamMetricsRequest": {{"metrics", 1, "repeated Metric"}, {"timestamp", 2, "Timestamp"}},
	"Metric": {{"name", 1, "string"}, {"labels", 2, "map"}, {"value", 3, "double"}, {"description", 4, "string"},
		{"timestamp", 5, "Timestamp"}, {"type", 6, "int32"}}, // on the wire an enum is an int32
	"StreamMetricsResponse": {{"start_time", 1, "Timestamp"}, {"end_time", 2, "Timestamp"}},
	"Other":                 {},
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
	kind := f.kind
	if _, err := fmt.Sscanf(f.kind, "repeated %s", &kind); err == nil || kind == "map" {
		d.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	}
	message := func(name string) {
		d.Type, d.TypeName = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), proto.String(name)
	}
	switch kind {
	case "string":
		d.Type = descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum()
	case "int32":
		d.Type = descriptorpb.FieldDescriptorProto_TYPE_INT32.Enum()
	case "int64":
		d.Type = descriptorpb.FieldDescriptorProto_TYPE_INT64.Enum()
	case "bool":
		d.Type = descriptorpb.FieldDescriptorProto_TYPE_BOOL.Enum()
	case "double":
		d.Type = descriptorpb.FieldDescriptorProto_TYPE_DOUBLE.Enum()
	case "Timestamp":
		message(".google.protobuf.Timestamp")
	case "map":
		entry := &descriptorpb.DescriptorProto{Name: proto.String("LabelsEntry"),
			Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)}}
		for _, e := range []baselineField{{"key", 1, "string"}, {"value", 2, "string"}} {
			entry.Field = append(entry.Field, e.describe(entry))
		}
		m.NestedType = append(m.NestedType, entry)
		message(".baseline." + m.GetName() + ".LabelsEntry")
	default:
		message(".baseline." + kind)
	}
	return d
}
