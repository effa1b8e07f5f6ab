package codec

// ReadPointer reads a value or null.
func ReadPointer[T any](d *Decoder, read func(*Decoder, *T)) *T {
	if d.Null() {
		return nil
	}
	v := new(T)
	read(d, v)
	return v
}

// ReadList reads an array or null.
func ReadList[T any](d *Decoder, read func(*Decoder, *T)) []T {
	if d.Null() {
		return nil
	}
	list := []T{}
	for more := d.Array(); more; more = d.More(']') {
		list = append(list, *new(T))
		read(d, &list[len(list)-1])
	}
	return list
}

// ReadArray reads an array with as many elements as list has.
func ReadArray[T any](d *Decoder, list []T, read func(*Decoder, *T)) {
	if d.Null() {
		return
	}
	n := 0
	for more := d.Array(); more; more = d.More(']') {
		if n == len(list) {
			d.fail()
			return
		}
		read(d, &list[n])
		n++
	}
	if n < len(list) {
		d.fail()
	}
}

// ReadMap reads an object or null. Of members with the same name the last one counts.
func ReadMap[T any](d *Decoder, read func(*Decoder, *T)) map[string]T {
	if d.Null() {
		return nil
	}
	m := map[string]T{}
	for more := d.Object(); more; more = d.More('}') {
		name, v := d.Name(), *new(T)
		read(d, &v)
		m[name] = v
	}
	return m
}

// Texts reads an array of strings, or null.
func (d *Decoder) Texts() []string {
	if d.Null() {
		return nil
	}
	list := d.strings[len(d.strings):]
	for more := d.Array(); more; more = d.More(']') {
		if len(list) == cap(list) {
			// Blocks for a few lists each, but not for a short text.
			block := min(2+len(d.text)/64, 128)
			list = append(make([]string, 0, max(block, 2*len(list))), list...)
		}
		list = append(list, d.Text())
	}
	d.strings = list
	if len(list) == 0 {
		return []string{}
	}
	return list[:len(list):len(list)]
}

// TextMap reads an object of strings, or null.
func (d *Decoder) TextMap() map[string]string {
	if d.Null() {
		return nil
	}
	m := map[string]string{}
	for more := d.Object(); more; more = d.More('}') {
		name := d.Name()
		m[name] = d.Text()
	}
	return m
}
