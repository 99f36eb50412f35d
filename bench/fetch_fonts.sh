#!/usr/bin/env bash
# Fetch the free fonts whose shapes take part in training the built-in model. They are kept outside the repository and
# are never shipped. Needs npm and apt-get.   bench/fetch_fonts.sh FOLDER
set -euo pipefail
folder=${1:?the folder that shall hold the fonts}
mkdir -p "$folder/packages" && cd "$folder/packages"
for font in ma-shan-zheng@5.3.1 zhi-mang-xing@5.3.0 liu-jian-mao-cao@5.3.0 long-cang@5.3.0 yomogi@5.3.0 \
  zen-kurenaido@5.3.0 yusei-magic@5.3.0 yuji-syuku@5.3.0 yuji-boku@5.3.0 yuji-mai@5.3.0 new-tegomin@4.5.9 \
  hachi-maru-pop@5.3.0 iansui@5.3.0; do
  npm pack --silent "@fontsource/$font"
done
npm pack --silent @chinese-fonts/jxzk@1.3.0 @chinese-fonts/hlxsjt@1.2.0
apt-get download fonts-klee fonts-seto fonts-yozvox-yozfont-standard-kana fonts-kiloji fonts-lxgw-wenkai fonts-arphic-gkai00mp fonts-arphic-bkai00mp \
  fonts-aoyagi-soseki fonts-aoyagi-kouzan-t fonts-kouzan-mouhitsu fonts-cns11643-kai
for package in *.tgz; do
  mkdir -p "../${package%.tgz}" && tar xzf "$package" -C "../${package%.tgz}"
done
for package in *.deb; do
  dpkg -x "$package" "../${package%%_*}"
done
