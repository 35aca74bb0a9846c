// Package request does for each request to an app what Heroku's router does and the Gateway API cannot
// say: it gives it a name and the time it came, lets a small body arrive before it goes on, and sees
// to it that whoever gets no answer from a dyno gets Heroku's page.
//
// Traefik interprets it. It must never touch what an app itself answers.
package request

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// small is how many bytes of a body are waited for.
const small = 64 << 10

// code is the header of the request in which the access log finds what went wrong.
const code = "Haikube-Code"

// Config is what the file provider sets.
type Config struct {
	// API is the host of the platform's own API, whose answers are its own affair.
	API string
	// Silence is how many seconds an answer may pause.
	Silence int
}

// CreateConfig returns a Config with Heroku's values.
func CreateConfig() *Config { return &Config{Silence: 55} }

// New returns the middleware.
func New(_ context.Context, next http.Handler, config *Config, _ string) (http.Handler, error) {
	silence := time.Duration(config.Silence) * time.Second
	return http.HandlerFunc(func(out http.ResponseWriter, request *http.Request) {
		request.Header.Del(code)
		if !given(request.Header.Get("X-Request-Id")) {
			request.Header.Set("X-Request-Id", made())
		}
		request.Header.Set("X-Request-Start", strconv.FormatInt(time.Now().UnixMilli(), 10))
		if name, _, _ := strings.Cut(request.Host, ":"); strings.EqualFold(name, config.API) {
			next.ServeHTTP(out, request)
			return
		}
		if arrive(out, request) {
			carry(next, out, request, silence)
		}
	}), nil
}

// arrive waits for a small body, and tells whether it came. An app may answer before it has read the
// body: Go's server would then read the rest itself, the body would end too early for the connection
// to the dyno, and the answer be cut off.
func arrive(out http.ResponseWriter, request *http.Request) bool {
	if request.ContentLength <= 0 || request.ContentLength > small || request.Header.Get("Expect") != "" {
		return true
	}
	body, err := io.ReadAll(request.Body)
	request.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		blame(request, err)
		http.Error(out, "Bad Request", http.StatusBadRequest)
	}
	return err == nil
}

// blame names what a client did that did not send what it had promised.
func blame(request *http.Request, err error) {
	if late(err) {
		request.Header.Set(code, "H28")
		return
	}
	request.Header.Set(code, "H27")
}

// late tells whether a read ended because its time was over.
func late(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// given tells whether a client's own name is one that Heroku would keep.
func given(id string) bool {
	if len(id) < 20 || len(id) > 200 {
		return false
	}
	for _, each := range id {
		plain := each == '-' || each >= '0' && each <= '9' || each >= 'a' && each <= 'z' || each >= 'A' && each <= 'Z'
		if !plain {
			return false
		}
	}
	return true
}

// made returns a random UUID.
func made() string {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return ""
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	text := hex.EncodeToString(raw)
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
