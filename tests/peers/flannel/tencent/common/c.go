// SPDX-License-Identifier: Apache-2.0
package common

func StringPtr(s string) *string { return &s }
func StringPtrs(v []string) []*string {
	var o []*string
	for i := range v {
		o = append(o, &v[i])
	}
	return o
}
func BoolPtr(b bool) *bool { return &b }
