package wire

import "fodc/messages"

// setSchema sets the group if the part is one.
func setSchema(f *StreamSchemaRegistryRequest, p messages.Part) {
	g, ok := p.(*messages.SchemaGroup)
	if !ok || g == nil {
		return
	}
	f.Group = &SchemaGroup{Group: cleanText(g.Group), Error: cleanText(g.Error),
		Objects: converted(g.Objects, len(g.Objects), func(o messages.SchemaObject) *SchemaObject {
			return &SchemaObject{Kind: cleanText(o.Kind), Name: cleanText(o.Name), Fingerprint: o.Fingerprint}
		})}
}

// readSchema sets the part and the end of the reply. The part is nil for a group without a name and
// without an error, and objects without a name are left out.
func readSchema(f *StreamSchemaRegistryRequest, r *Reply) {
	if r.ID == 0 && !f.GetDone() && r.Error == "" {
		r.End = EndNo
	}
	g := &messages.SchemaGroup{Group: cleanText(f.GetGroup().GetGroup()), Error: cleanText(f.GetGroup().GetError())}
	if g.Group == "" && g.Error == "" {
		return
	}
	g.Objects = kept(f.GetGroup().GetObjects(), func(o *SchemaObject) (messages.SchemaObject, bool) {
		object := messages.SchemaObject{Kind: cleanText(o.GetKind()), Name: cleanText(o.GetName()), Fingerprint: o.GetFingerprint()}
		return object, object.Name != ""
	})
	r.Part = g
}
