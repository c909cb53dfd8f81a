// SPDX-License-Identifier: Apache-2.0
package errors

type TencentCloudSDKError struct{}

func (*TencentCloudSDKError) Error() string { return "stub" }
