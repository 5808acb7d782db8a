// Reads {"values": {...}, "templates": [...]} and prints the result of text/template for each template, one JSON value per line:
// the text (as base64, since it need not be UTF-8), or null for a template that is rejected.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"text/template"
)

func render(text string, values map[string]string) []byte {
	parsed, err := template.New("t").Option("missingkey=zero").Parse(text)
	if err != nil {
		return nil
	}
	out := bytes.NewBuffer([]byte{})
	if parsed.Execute(out, values) != nil {
		return nil
	}
	return out.Bytes()
}

func main() {
	var in struct {
		Values    map[string]string
		Templates []string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	answers := json.NewEncoder(out)
	for _, text := range in.Templates {
		if err := answers.Encode(render(text, in.Values)); err != nil {
			panic(err)
		}
	}
}
