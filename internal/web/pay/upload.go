package pay

import "strconv"

// Upload is the form of the ActionRequired page on which a buyer sends files. Each kind has its own field, which
// takes several files.
type Upload struct {
	Attempt  string // given back in the field FieldAttempt
	Kinds    []string
	MaxMB    int64 // of one file
	Problems []UploadProblem
}

// UploadProblem is something the buyer must mend before the files are taken.
type UploadProblem struct {
	Problem Problem
	Kind    string // whose field it is; "" for the form as a whole
	File    string // the file's name; "" for none
}

// The problems of an upload.
const (
	FileMissing  Problem = "file_missing"
	FileEmpty    Problem = "file_empty"
	FileType     Problem = "file_type"
	FileSize     Problem = "file_size"
	FilesTooMany Problem = "files_too_many" // too many files, or too large all together
	// UploadInvalid: the attempt token is missing or foreign.
	UploadInvalid Problem = "upload_invalid"
)

// UploadField is the name of the field for files of a kind.
func UploadField(kind string) string { return "file-" + kind }

type uploadView struct {
	Attempt, Hint string
	Fields        []uploadFieldView
	Problems      []problemView
}

type uploadFieldView struct {
	Name, Label string // the name is the id as well
	Problems    []string
}

// uploadLabel is the label of the field of a kind; kinds without copy are "another document".
func (w *words) uploadLabel(kind string) string {
	if kind == "identity" || kind == "bank_statement" {
		return w.text("upload." + kind)
	}
	return w.text("upload.other")
}

func (w *words) upload(u Upload) *uploadView {
	size := strconv.FormatInt(u.MaxMB, 10)
	v := &uploadView{Attempt: u.Attempt, Hint: w.text("upload.hint", "size", size)}
	for _, kind := range u.Kinds {
		v.Fields = append(v.Fields, uploadFieldView{Name: UploadField(kind), Label: w.uploadLabel(kind)})
	}
	for _, p := range u.Problems {
		text := w.text("problem."+string(p.Problem), "file", p.File, "size", size)
		href := "#upload"
		for i := range v.Fields {
			if p.Kind != "" && v.Fields[i].Name == UploadField(p.Kind) {
				v.Fields[i].Problems = append(v.Fields[i].Problems, text)
				href = "#" + v.Fields[i].Name
			}
		}
		v.Problems = append(v.Problems, problemView{Text: text, Href: href})
	}
	return v
}
